//! AF_PACKET over a veth pair. Needs root; see [`support::in_namespace`].

#[path = "live/support.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use capture::{AfPacket, AfPacketConfig, Block, CaptureError, KernelStatistics, LinkType, wait};
use support::{MIRROR, SWITCH, Sender, await_link, collect, collect_whole, config, drop_all_capabilities_but_net_raw};
use support::{ethernet, in_namespace, ip, make_pair, make_tun, open, open_group, tcp, udp};

const LOCAL_EXPERIMENT: u16 = 0x88b5;

fn refusal(config: &AfPacketConfig) -> CaptureError {
    AfPacket::open(config).err().expect("the interface must not open")
}

#[test]
fn frames_arrive_byte_for_byte_with_their_tags_in_place() {
    in_namespace(|| {
        let mut socket = open(&config());
        assert_eq!(socket.link_type(), LinkType::ETHERNET);
        let payload: Vec<u8> = (0..9000u32).map(|n| (n % 251) as u8).collect();
        let sent = [
            ethernet(&[], LOCAL_EXPERIMENT, &payload[..46]),
            ethernet(&[(0x8100, 5)], LOCAL_EXPERIMENT, &payload[..46]),
            ethernet(&[(0x8100, 0xe000)], LOCAL_EXPERIMENT, &payload[..100]),
            ethernet(&[(0x88a8, 100), (0x8100, 0x2fff)], LOCAL_EXPERIMENT, &payload[..1500]),
            ethernet(&[(0x8100, 7), (0x8100, 8), (0x8100, 9)], LOCAL_EXPERIMENT, &payload[..300]),
            ethernet(&[(0x9100, 7), (0x8100, 8)], LOCAL_EXPERIMENT, &payload[..300]),
            ethernet(&[(0x8100, 6)], LOCAL_EXPERIMENT, &payload),
            ethernet(&[], 38, &payload[..38]),
        ];
        let sender = Sender::on(SWITCH);
        sent.iter().for_each(|frame| sender.send(frame));
        assert_eq!(collect_whole(&mut socket, sent.len()), sent);
    });
}

#[test]
fn a_frame_for_segmentation_offload_passes_whole() {
    in_namespace(|| {
        let mut socket = open(&config());
        let payload: Vec<u8> = (0..60_000u32).map(|n| (n % 251) as u8).collect();
        let header = tcp(&[], (1, 2), (1000, 2000));
        let frame = [&header[..], &payload].concat();
        // Checksum needed, TCPv4 segmentation, headers of 54 bytes, segments of 1448, checksum from 34 on, at 16.
        let offload = [1, 1, 54, 0, 0xa8, 5, 34, 0, 16, 0];
        Sender::on(SWITCH).with_offload_header().send(&[&offload[..], &frame].concat());
        assert_eq!(collect_whole(&mut socket, 1), [frame]);
    });
}

#[test]
fn frames_carry_the_time_and_the_interface() {
    in_namespace(|| {
        let mut socket = open(&config());
        let before = SystemTime::now();
        Sender::on(SWITCH).send(&udp(&[], 1));
        while !wait(&[socket.fd()], Duration::from_secs(5)).expect("poll").ready {}
        let now = SystemTime::now();
        let since_1970 = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_nanos();
        let block = socket.try_block().expect("a block");
        let frame = block.frames().next().expect("a frame");
        assert!((since_1970(before)..=since_1970(now)).contains(&u128::from(frame.timestamp_ns)));
        assert_eq!((frame.interface, frame.link_type, block.frame_count()), (4, LinkType::ETHERNET, 1));
    });
}

#[test]
fn snaplen_cuts_the_frame_with_its_tag_and_leaves_the_wire_length() {
    in_namespace(|| {
        let payload: Vec<u8> = (0..400u32).map(|n| n as u8).collect();
        let mut sent: Vec<Vec<u8>> = [&[][..], &[(0x8100, 5)], &[(0x88a8, 5), (0x8100, 6)]]
            .iter()
            .map(|tags| [udp(tags, 1), payload.clone()].concat())
            .collect();
        sent.push(udp(&[], 2));
        let expected: Vec<_> = sent.iter().map(|f| (f[..f.len().min(96)].to_vec(), f.len() as u32)).collect();
        for filter in ["", "udp or vlan"] {
            let mut socket = open(&AfPacketConfig { snaplen: 96, filter: filter.to_owned(), ..config() });
            let sender = Sender::on(SWITCH);
            sent.iter().for_each(|frame| sender.send(frame));
            assert_eq!(collect(&mut socket, sent.len()), expected, "filter {filter:?}");
        }
    });
}

#[test]
fn a_filter_means_what_it_means_to_tcpdump_live() {
    in_namespace(|| {
        let sent = [
            udp(&[], 1),
            tcp(&[], (1, 2), (1, 2)),
            udp(&[(0x8100, 5)], 2),
            tcp(&[(0x8100, 5)], (1, 2), (1, 2)),
            udp(&[(0x8100, 6)], 3),
            ethernet(&[], LOCAL_EXPERIMENT, &[0; 46]),
        ];
        let sender = Sender::on(SWITCH);
        for (filter, passing) in
            [("udp", &[0, 2, 4][..]), ("vlan 5", &[2, 3]), ("vlan 5 and tcp", &[3]), ("ip", &[0, 1, 2, 3, 4])]
        {
            let mut socket = open(&AfPacketConfig { filter: filter.to_owned(), ..config() });
            sent.iter().for_each(|frame| sender.send(frame));
            let expected: Vec<_> = passing.iter().map(|&index: &usize| sent[index].clone()).collect();
            assert_eq!(collect_whole(&mut socket, passing.len()), expected, "{filter}");
        }
    });
}

/// Sends frames from a thread in the same namespace until it is dropped.
struct Flood {
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<u32>>,
}

impl Flood {
    fn start(frame: fn(u32) -> Vec<u8>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let send = move || {
            let sender = Sender::on(SWITCH);
            (0..).take_while(|_| !stopped.load(Ordering::Relaxed)).inspect(|&n| sender.send(&frame(n))).count() as u32
        };
        Self { stop, thread: Some(thread::spawn(send)) }
    }

    /// Stops it; how many frames were sent.
    fn end(mut self) -> u32 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().expect("a running thread").join().expect("a sound thread")
    }
}

#[test]
fn nothing_unfiltered_is_captured_while_opening() {
    in_namespace(|| {
        let flood = Flood::start(|number| udp(&[], number));
        for _ in 0..20 {
            let mut socket = open(&AfPacketConfig { filter: "tcp".to_owned(), ring_bytes: 0, ..config() });
            assert!(collect(&mut socket, 0).is_empty());
        }
        assert!(flood.end() > 1000, "the flood was none");
    });
}

/// A UDP frame between an address pair of its own, as far as they reach.
fn spread_udp(number: u32) -> Vec<u8> {
    const SOURCE_ADDRESS_END: Range<usize> = 28..30;
    let mut frame = udp(&[], number);
    frame[SOURCE_ADDRESS_END].copy_from_slice(&(number as u16).to_be_bytes());
    frame
}

/// Adds the numbers of the flood's frames; none may be there already.
fn add_numbers(numbers: &mut BTreeSet<u32>, frames: &[Vec<u8>]) {
    for frame in frames {
        let number: [u8; 4] = frame[frame.len() - 4..].try_into().expect("four bytes");
        assert!(numbers.insert(u32::from_be_bytes(number)), "captured twice");
    }
}

#[test]
fn members_of_a_fanout_group_share_the_frames() {
    in_namespace(|| {
        let flood = Flood::start(spread_udp);
        let mut sockets = open_group(&AfPacketConfig { ring_bytes: 64 << 20, snaplen: 128, ..config() }, 77, 2);
        thread::sleep(Duration::from_millis(100));
        let sent = flood.end();
        let mut numbers = BTreeSet::new();
        for socket in &mut sockets {
            let captured = collect_whole(socket, 1);
            assert!(!captured.is_empty(), "each member has a share");
            assert_eq!(socket.statistics().expect("statistics").dropped, 0);
            add_numbers(&mut numbers, &captured);
        }
        assert_eq!(numbers.last(), Some(&(sent - 1)), "captured to the end");
        let after_opening = numbers.iter().rev().zip((0..sent).rev()).take_while(|(seen, sent)| *seen == sent).count();
        assert!(after_opening > 1000, "no gap once both are open: {after_opening} of {sent}");
    });
}

#[test]
fn joining_a_fanout_group_duplicates_nothing() {
    in_namespace(|| {
        let config = AfPacketConfig { ring_bytes: 16 << 20, snaplen: 128, ..config() };
        for _ in 0..10 {
            let flood = Flood::start(spread_udp);
            let mut sockets = open_group(&config, 76, 2);
            thread::sleep(Duration::from_millis(1));
            flood.end();
            let mut numbers = BTreeSet::new();
            for socket in &mut sockets {
                add_numbers(&mut numbers, &collect_whole(socket, 0));
            }
        }
    });
}

#[test]
fn both_directions_of_a_flow_go_to_the_same_member() {
    in_namespace(|| {
        let mut sockets = open_group(&config(), 78, 2);
        let sender = Sender::on(SWITCH);
        for host in 100..200 {
            sender.send(&tcp(&[], (host, 2), (1000, 443)));
            sender.send(&tcp(&[], (2, host), (443, 1000)));
        }
        let mut members: BTreeMap<u8, Vec<usize>> = BTreeMap::new();
        for (member, socket) in sockets.iter_mut().enumerate() {
            let captured = collect_whole(socket, 1);
            assert!(captured.len() > 50, "each member has a fair share");
            for frame in captured {
                members.entry(frame[29].max(frame[33])).or_default().push(member);
            }
        }
        let halves_meet = |seen: &Vec<usize>| matches!(seen[..], [first, second] if first == second);
        assert!(members.len() == 100 && members.values().all(halves_meet), "{members:?}");
    });
}

#[test]
fn frames_that_the_host_sends_are_not_captured() {
    in_namespace(|| {
        ip("link set lo up");
        let loopback = AfPacketConfig { interface: "lo".to_owned(), ..config() };
        let alone = |config: &AfPacketConfig| open(config);
        let in_group = |config: &AfPacketConfig| open_group(config, 79, 1).remove(0);
        for opened in [&alone as &dyn Fn(&AfPacketConfig) -> AfPacket, &in_group] {
            let mut mirror = opened(&config());
            Sender::on(MIRROR).send(&udp(&[], 1));
            assert!(collect(&mut mirror, 0).is_empty(), "outgoing");
            let mut loopback = opened(&loopback);
            Sender::on("lo").send(&udp(&[], 2));
            assert_eq!(collect_whole(&mut loopback, 1), [udp(&[], 2)], "once");
        }
    });
}

#[test]
fn the_interface_is_promiscuous_as_long_as_it_is_wanted() {
    in_namespace(|| {
        let promiscuity = || {
            let shown = ip(&format!("-d link show {MIRROR}"));
            let mut words = shown.split_whitespace().skip_while(|word| *word != "promiscuity");
            words.nth(1).map(str::to_owned)
        };
        let without = open(&AfPacketConfig { promiscuous: false, ..config() });
        assert_eq!(promiscuity().as_deref(), Some("0"));
        let with = open(&config());
        assert_eq!(promiscuity().as_deref(), Some("1"));
        drop((with, without));
        assert_eq!(promiscuity().as_deref(), Some("0"));
    });
}

#[test]
fn the_kernel_counts_since_the_last_time() {
    in_namespace(|| {
        let mut socket = open(&AfPacketConfig { filter: "udp".to_owned(), ..config() });
        let sender = Sender::on(SWITCH);
        for number in 0..100 {
            sender.send(&udp(&[], number));
            sender.send(&tcp(&[], (1, 2), (1, 2)));
        }
        assert_eq!(collect(&mut socket, 100).len(), 100);
        let counted = KernelStatistics { packets: 100, dropped: 0, freezes: 0 };
        assert_eq!(socket.statistics().expect("statistics"), counted);
        assert_eq!(socket.statistics().expect("statistics"), KernelStatistics::default());
    });
}

#[test]
fn a_full_ring_drops_and_says_how_many() {
    in_namespace(|| {
        let mut socket = open(&AfPacketConfig { ring_bytes: 0, snaplen: 512, ..config() });
        let sender = Sender::on(SWITCH);
        (0..1000).for_each(|number| sender.send(&udp(&[], number)));
        let captured = collect(&mut socket, 1).len() as u64;
        let counted = socket.statistics().expect("statistics");
        assert!(counted.dropped > 0 && counted.freezes > 0, "{counted:?}");
        assert_eq!((counted.packets, captured + counted.dropped), (1000, 1000));
        sender.send(&udp(&[], 1000));
        assert_eq!(collect(&mut socket, 1).len(), 1, "goes on after that");
    });
}

#[test]
fn what_was_granted_is_told() {
    in_namespace(|| {
        assert_eq!(open(&config()).granted_ring_bytes(), 8 << 20);
        let tiny = open(&AfPacketConfig { ring_bytes: 1, ..config() });
        assert_eq!(tiny.granted_ring_bytes(), 4 * (512 << 10), "four blocks that hold the largest frame");
    });
}

/// Waits for an error on the socket, and no longer than a moment.
fn wait_for_failure(socket: &AfPacket) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !wait(&[socket.fd()], Duration::from_millis(100)).expect("poll").failed {
        assert!(Instant::now() < deadline, "the socket was not told");
    }
}

#[test]
fn an_interface_that_goes_down_is_noticed_and_resumes() {
    in_namespace(|| {
        let mut socket = open(&config());
        socket.check().expect("the interface is up");
        let idle = wait(&[socket.fd()], Duration::from_millis(1)).expect("poll");
        assert!(!idle.failed && !idle.ready, "{idle:?}");
        ip(&format!("link set {MIRROR} down"));
        wait_for_failure(&socket);
        for _ in 0..2 {
            assert!(matches!(socket.check(), Err(CaptureError::InterfaceDown { .. })));
        }
        assert!(!wait(&[socket.fd()], Duration::ZERO).expect("poll").failed, "the error was taken");
        assert!(matches!(refusal(&config()), CaptureError::InterfaceDown { .. }));
        ip(&format!("link set {MIRROR} up"));
        socket.check().expect("the interface is up again");
        await_link(SWITCH);
        Sender::on(SWITCH).send(&udp(&[], 1));
        assert_eq!(collect_whole(&mut socket, 1), [udp(&[], 1)]);
    });
}

#[test]
fn an_interface_that_was_removed_is_told_from_one_that_is_down() {
    in_namespace(|| {
        let mut socket = open_group(&config(), 80, 1).remove(0);
        ip(&format!("link set {MIRROR} name renamed0"));
        socket.check().expect("only the name has changed");
        let shown = ip("link show renamed0");
        let index = shown.split(':').next().expect("the index comes first");
        ip("link del renamed0");
        wait_for_failure(&socket);
        assert!(matches!(socket.check(), Err(CaptureError::InterfaceRemoved { .. })));
        assert!(matches!(refusal(&config()), CaptureError::NoSuchInterface { .. }));
        make_pair(&format!("index {index}"));
        assert!(matches!(socket.check(), Err(CaptureError::InterfaceRemoved { .. })), "another one of its name");
        drop(socket);
        let mut socket = open_group(&config(), 80, 1).remove(0);
        Sender::on(SWITCH).send(&udp(&[], 1));
        assert_eq!(collect_whole(&mut socket, 1), [udp(&[], 1)]);
    });
}

#[test]
fn a_tunnel_interface_gives_raw_packets() {
    in_namespace(|| {
        let mut tun = make_tun("tun9", libc::ARPHRD_NONE);
        for (filter, expected) in [("", 1), ("udp port 2000", 1), ("tcp", 0)] {
            let raw = AfPacketConfig { interface: "tun9".to_owned(), filter: filter.to_owned(), ..config() };
            let mut socket = open(&raw);
            assert_eq!(socket.link_type(), LinkType::RAW);
            let packet = &udp(&[], 1)[14..];
            tun.write_all(packet).expect("packet written");
            assert_eq!(collect_whole(&mut socket, expected), vec![packet.to_vec(); expected], "{filter}");
        }
    });
}

#[test]
fn what_cannot_be_opened_says_why_and_what_to_do() {
    in_namespace(|| {
        let _ppp = make_tun("ppp9", libc::ARPHRD_PPP);
        let named =
            |interface: &str| refusal(&AfPacketConfig { interface: interface.to_owned(), ..config() }).to_string();
        let filtered = |filter: &str| refusal(&AfPacketConfig { filter: filter.to_owned(), ..config() }).to_string();
        for (refusal, texts) in [
            (named("nosuch0"), ["nosuch0", "no such interface"]),
            (named("any"), ["any", "no such interface"]),
            (named("lo"), ["lo", "is down"]),
            (named("ppp9"), ["ppp9", "ARPHRD type 512"]),
            (filtered("udp prot 53"), ["filter \"udp prot 53\" on mirror0", "syntax error"]),
            (filtered("ip and not ip"), ["filter \"ip and not ip\"", "rejects all packets"]),
        ] {
            assert!(texts.iter().all(|text| refusal.contains(text)), "{refusal}");
        }
    });
}

/// The bytes with ERSPAN type II around them: one tunnel for all.
fn erspan(inner: &[u8]) -> Vec<u8> {
    let gre = [0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, 0, 1, 0, 0, 0, 0];
    let length = (20 + gre.len() + inner.len()) as u16;
    let mut packet = vec![0x45, 0, (length >> 8) as u8, length as u8, 0, 0, 0, 0, 64, 47, 0, 0];
    packet.extend([192, 0, 2, 1, 192, 0, 2, 2]);
    packet.extend([&gre[..], inner].concat());
    ethernet(&[], 0x0800, &packet)
}

/// Which member has frames with a last byte of the inner source address; it must be one alone.
fn member_of_each(sockets: &mut [AfPacket], address_end: usize) -> BTreeMap<u8, usize> {
    let mut members = BTreeMap::new();
    for (member, socket) in sockets.iter_mut().enumerate() {
        for frame in collect_whole(socket, 0) {
            let earlier = members.insert(frame[address_end], member);
            assert!(earlier.is_none_or(|earlier| earlier == member), "address {} is split", frame[address_end]);
        }
    }
    members
}

#[test]
fn one_tunnel_is_shared_by_its_inner_addresses_and_as_bare_frames_are() {
    in_namespace(|| {
        for tags in [&[][..], &[(0x8100, 5)], &[(0x88a8, 5), (0x8100, 6)]] {
            let mut sockets = open_group(&config(), 82, 4);
            let sender = Sender::on(SWITCH);
            let bare = |host| tcp(tags, (host, 2), (1000, 443));
            (0..=255).for_each(|host| sender.send(&bare(host)));
            let bare_members = member_of_each(&mut sockets, 29 + 4 * tags.len());
            (0..=255).for_each(|host| sender.send(&erspan(&bare(host))));
            let inner = member_of_each(&mut sockets, 29 + 4 * tags.len() + 50);
            assert_eq!(bare_members, inner, "{tags:?}");
            for member in 0..4 {
                let share = inner.values().filter(|&&other| other == member).count();
                assert!((40..=90).contains(&share), "member {member} has {share} of 256, {tags:?}");
            }
        }
    });
}

#[test]
fn the_members_keep_their_places_when_the_interface_goes_down_and_up() {
    in_namespace(|| {
        let mut sockets = open_group(&config(), 83, 3);
        let sender = Sender::on(SWITCH);
        let send = || (0..=255).for_each(|host| sender.send(&tcp(&[], (host, 2), (1000, 443))));
        send();
        let before = member_of_each(&mut sockets, 29);
        ip(&format!("link set {MIRROR} down"));
        ip(&format!("link set {MIRROR} up"));
        await_link(SWITCH);
        send();
        assert_eq!((before.len(), &before), (256, &member_of_each(&mut sockets, 29)));
    });
}

#[test]
fn a_group_filters_and_needs_one_capability_only() {
    in_namespace(|| {
        drop_all_capabilities_but_net_raw();
        let filtered = AfPacketConfig { filter: "tcp".to_owned(), ..config() };
        let mut sockets = open_group(&filtered, 84, 2);
        let sender = Sender::on(SWITCH);
        for host in 0..=255 {
            sender.send(&tcp(&[], (host, 2), (1000, 443)));
            sender.send(&udp(&[], u32::from(host)));
        }
        let members = member_of_each(&mut sockets, 29);
        assert_eq!(members.len(), 256);
        assert!(members.values().any(|&member| member == 0) && members.values().any(|&member| member == 1));
    });
}

#[test]
fn one_fanout_number_serves_every_interface() {
    in_namespace(|| {
        ip("link set lo up");
        let loopback = AfPacketConfig { interface: "lo".to_owned(), ..config() };
        let _both = (open_group(&config(), 81, 2), open_group(&loopback, 81, 2));
    });
}

#[test]
fn without_privilege_the_capability_is_named() {
    in_namespace(|| {
        const NOBODY: libc::c_long = 65534;
        // SAFETY: the system call takes numbers; unlike the library's function it changes this thread alone.
        let dropped = unsafe { libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY) };
        assert_eq!(dropped, 0);
        let refusal = refusal(&config());
        assert!(matches!(refusal, CaptureError::NoPrivilege { .. }));
        assert!(refusal.to_string().contains("CAP_NET_RAW"), "{refusal}");
    });
}

#[test]
fn threads_may_hand_a_socket_on() {
    in_namespace(|| {
        let mut socket = open(&config());
        let captured = thread::spawn(move || collect_whole(&mut socket, 1));
        Sender::on(SWITCH).send(&udp(&[], 1));
        assert_eq!(captured.join().expect("a sound thread"), [udp(&[], 1)]);
    });
}
