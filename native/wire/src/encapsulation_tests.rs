//! Stacks of layers.

use super::*;

const OUTER: Encapsulation = Encapsulation::Ip { source: Address::v6([1; 16]), destination: Address::v6([2; 16]) };
const INNER: Encapsulation = Encapsulation::Ip { source: Address::v6([3; 16]), destination: Address::v6([4; 16]) };

fn erspan(vlan: u16) -> Encapsulation {
    Encapsulation::ErspanII { sequence: 1, session: 2, vlan, truncated: false, index: 0 }
}

fn vlans(stack: &[Encapsulation]) -> Vec<u16> {
    vlan_ids(&stack.iter().copied().collect()).to_vec()
}

fn tunnel(stack: &[Encapsulation]) -> Option<Tunnel> {
    Tunnel::of(stack)
}

#[test]
fn tags_at_every_depth_outermost_first() {
    let tag = |id| Encapsulation::Vlan { id };
    assert_eq!(vlans(&[tag(5), tag(0), OUTER, erspan(7), tag(7), tag(9)]), [5, 0, 7, 9]);
}

#[test]
fn the_vlan_of_an_erspan_header_stands_in_for_a_tag() {
    let tag = Encapsulation::Vlan { id: 3 };
    assert_eq!(vlans(&[OUTER, erspan(7)]), [7]);
    assert_eq!(vlans(&[OUTER, erspan(0)]), []);
    assert_eq!(vlans(&[OUTER, erspan(7), tag]), [3]);
    // The tag inside a second tunnel is not the mirrored frame's own.
    assert_eq!(vlans(&[OUTER, erspan(7), INNER, Encapsulation::Vxlan { vni: 1 }, tag]), [7, 3]);
}

#[test]
fn a_tunnel_is_told_by_its_outermost_ends_and_innermost_kind() {
    let ends = (Address::v6([1; 16]), Address::v6([2; 16]));
    let of = |stack: &[Encapsulation]| tunnel(stack).map(|t| ((t.source, t.destination), t.protocol, t.depth));
    let tag = Encapsulation::Vlan { id: 3 };
    assert_eq!(of(&[tag, tag]), None);
    assert_eq!(of(&[tag, OUTER]), Some((ends, EncapsulationKind::Ip, 1)));
    assert_eq!(of(&[OUTER, erspan(7), tag]), Some((ends, EncapsulationKind::ErspanII, 1)));
    let nested = [OUTER, erspan(7), tag, INNER, Encapsulation::Vxlan { vni: 1 }];
    assert_eq!(of(&nested), Some((ends, EncapsulationKind::Vxlan, 2)));
}
