//! Which frames of control protocols go over, and how many.

use proptest::prelude::*;
use wire::{Address, Mac};

use crate::config::Mode;
use crate::punt::{PuntCounts, PuntProtocol, PuntedFrame};
use crate::testing::*;

const BROADCAST: End = End([255; 4], 67);
const CLIENT: End = End([0; 4], 68);

fn neighbour(kind: u8) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0, 0, 24, 58, 255];
    packet.extend([0xfd; 32]);
    packet.extend([kind, 0, 0, 0, 0, 0, 0, 0]);
    packet.extend([7; 16]);
    ethernet(0x86dd, &packet)
}

fn punted(frames: &[(u64, Vec<u8>)]) -> (Vec<PuntedFrame>, PuntCounts) {
    let mut bench = Bench::new(Mode::Read, 1000);
    bench.feed(frames);
    let counts = bench.published.read().punted;
    let seconds = bench.finish().0;
    (seconds.into_iter().flat_map(|second| second.punted.into_frames()).collect(), counts)
}

fn protocols(frames: &[Vec<u8>]) -> Vec<(PuntProtocol, u8)> {
    let frames: Vec<_> = frames.iter().map(|frame| (0, frame.clone())).collect();
    punted(&frames).0.iter().map(|frame| (frame.protocol, frame.kind)).collect()
}

#[test]
fn each_control_protocol_is_known_and_nothing_else() {
    let cdp = [&[0xaa, 0xaa, 0x03, 0x00, 0x00, 0x0c, 0x20, 0x00][..], b"cdp"].concat();
    let vtp = [&[0xaa, 0xaa, 0x03, 0x00, 0x00, 0x0c, 0x20, 0x03][..], b"vtp"].concat();
    let port = |port| udp(End(PC.0, 40_000), End(SERVER.0, port), b"x");
    let found = protocols(&[
        ethernet(0x0806, b"arp"),
        ethernet(0x88cc, b"lldp"),
        ethernet(cdp.len() as u16, &cdp),
        ethernet(vtp.len() as u16, &vtp),
        ethernet(0x8035, b"rarp"),
        udp(CLIENT, BROADCAST, b"dhcp"),
        udp(End(SERVER.0, 5355), PC, b"llmnr"),
        port(547),
        port(137),
        port(5353),
        port(53),
        tcp(PC, End(SERVER.0, 137), SYN, 1, b""),
        neighbour(135),
        neighbour(128),
    ]);
    let expected = [
        (PuntProtocol::Arp, 0),
        (PuntProtocol::Lldp, 0),
        (PuntProtocol::Cdp, 0),
        (PuntProtocol::Dhcp, 0),
        (PuntProtocol::Llmnr, 0),
        (PuntProtocol::Dhcpv6, 0),
        (PuntProtocol::Nbns, 0),
        (PuntProtocol::Mdns, 0),
        (PuntProtocol::Ndp, 135),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_frame_goes_over_with_all_that_was_around_it() {
    let mut tagged = udp(CLIENT, BROADCAST, b"discover");
    tagged.splice(12..12, [0x81, 0x00, 0x00, 0x14]);
    let (frames, _) = punted(&[(5, tagged)]);
    let [frame] = &frames[..] else { panic!("one frame") };
    assert_eq!((frame.time_ns, &frame.vlans[..], &frame.message[..]), (START + 5, &[20][..], &b"discover"[..]));
    assert_eq!(frame.macs, [Mac([2, 0, 0, 0, 0, 0]), Mac([2, 0, 0, 0, 0, 255])]);
    assert_eq!(frame.addresses, Some([Address::v4(CLIENT.0), Address::v4(BROADCAST.0)]));
    let (frames, _) = punted(&[(0, ethernet(0x0806, b"who has"))]);
    assert_eq!((&frames[0].message[..], frames[0].addresses), (&b"who has"[..], None));
    let (frames, _) = punted(&[(0, neighbour(136))]);
    assert_eq!(&frames[0].message[..], [7; 16]);
}

#[test]
fn the_same_words_of_the_same_sender_go_over_once_in_ten_seconds() {
    let arp = ethernet(0x0806, b"who has");
    let mut other = arp.clone();
    other[11] = 45;
    let at = START / SECOND % 10;
    let next_stretch = (10 - at) * SECOND;
    let (frames, counts) =
        punted(&[(0, arp.clone()), (1, arp.clone()), (2, other), (3, arp.clone()), (next_stretch, arp)]);
    let times: Vec<_> = frames.iter().map(|frame| frame.time_ns - START).collect();
    assert_eq!(times, [0, 2, next_stretch]);
    assert_eq!(counts, PuntCounts { handed: 3, repeated: 2, dropped: 0 });
}

#[test]
fn a_flood_is_cut_by_the_second_and_counted() {
    let flood = |second: u64| (0..300_u32).map(move |n| (second * SECOND, ethernet(0x0806, &n.to_be_bytes())));
    let frames: Vec<_> = flood(0).chain(flood(30)).collect();
    let (frames, counts) = punted(&frames);
    assert_eq!((frames.len(), counts), (400, PuntCounts { handed: 400, repeated: 0, dropped: 200 }));
    let large: Vec<_> = (0..50_u8).map(|n| (0, udp(PC, End(SERVER.0, 5353), &vec![n; 1400]))).collect();
    let (frames, counts) = punted(&large);
    assert_eq!((frames.len(), counts.dropped), (46, 4), "64 KiB in a second");
}

proptest! {
    #[test]
    fn no_bytes_break_the_gate(frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..40)) {
        let lldp: Vec<_> = frames.iter().map(|bytes| (0, ethernet(0x88cc, bytes))).collect();
        let (handed, counts) = punted(&lldp);
        prop_assert_eq!(handed.len() as u64, counts.handed);
        prop_assert_eq!(counts.handed + counts.repeated + counts.dropped, lldp.len() as u64);
    }
}

#[test]
fn who_the_host_is_goes_along_with_a_hit_of_the_same_second() {
    let mut bench = Bench::new(Mode::Live, 10);
    bench.watch("203.0.113.9\n");
    bench.feed(&[(0, ethernet(0x0806, b"I am")), (1, tcp(PC, SERVER, SYN, 1, b""))]);
    bench.feed(&[(2, ethernet(0x0806, b"later"))]);
    let notices: Vec<_> = bench.notices.try_iter().collect();
    let [notice] = &notices[..] else { panic!("{notices:?}") };
    let messages = |frames: &[PuntedFrame]| frames.iter().map(|frame| frame.message.to_vec()).collect::<Vec<_>>();
    assert_eq!((notice.hits.len(), messages(&notice.punted)), (1, vec![b"I am".to_vec()]));
    let (seconds, notices) = bench.finish();
    let at_the_end = notices.into_iter().flat_map(|notice| notice.punted);
    let rest: Vec<_> = at_the_end.chain(seconds.into_iter().flat_map(|second| second.punted.into_frames())).collect();
    assert_eq!(messages(&rest), [b"later"], "once, and nothing twice");
}

#[test]
fn what_a_second_may_have_does_not_grow_by_hits() {
    let mut bench = Bench::new(Mode::Live, 1000);
    bench.watch("203.0.113.9\n");
    for block in 0..4u8 {
        let port = |n: u8| End(PC.0, 1000 + u16::from(n));
        let said = (0..100u8).map(|n| (0, ethernet(0x0806, &[block, n])));
        bench.feed(&said.chain([(0, tcp(port(block), SERVER, SYN, 1, b""))]).collect::<Vec<_>>());
    }
    let told: usize = bench.notices.try_iter().map(|notice| notice.punted.len()).sum();
    assert_eq!((told, bench.published.read().punted.dropped), (200, 200));
}
