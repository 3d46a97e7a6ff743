//! Segments in any order.

use proptest::prelude::*;

use super::*;

/// What a direction told: its bytes, `?` for each that was never seen, `.` at the end.
#[derive(Default)]
struct Told(String);

impl Told {
    fn take(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Data(data) => self.0.push_str(std::str::from_utf8(data).expect("text")),
            Piece::Gap(bytes) => self.0.push_str(&"?".repeat(bytes as usize)),
            Piece::End => self.0.push('.'),
        }
    }
}

/// Feeds segments whose numbers count from `start`, with much room, and gives what was told before the end.
fn told(start: u32, segments: &[(u32, &str)]) -> (Stream, String) {
    let mut stream = Stream::starting_at(Some(start));
    let mut told = Told::default();
    for (offset, data) in segments {
        feed(&mut stream, start.wrapping_add(*offset), data, &mut told);
    }
    (stream, told.0)
}

fn feed(stream: &mut Stream, sequence: u32, data: &str, told: &mut Told) {
    let segment = Segment { sequence, data: data.as_bytes(), length: data.len() as u32, fin: false };
    stream.segment(&segment, usize::MAX, &mut |piece| told.take(piece));
}

#[test]
fn what_comes_in_order_is_passed_on_as_it_lies_there() {
    let bytes = *b"hello";
    let mut stream = Stream::starting_at(Some(7));
    let mut passed = None;
    let segment = Segment { sequence: 7, data: &bytes, length: 5, fin: false };
    stream.segment(&segment, 0, &mut |piece| {
        if let Piece::Data(data) = piece {
            passed = Some(data.as_ptr());
        }
    });
    assert_eq!(passed, Some(bytes.as_ptr()));
    assert_eq!(stream.held_bytes(), 0);
}

#[test]
fn early_segments_wait_and_late_copies_are_left_out() {
    for start in [1, u32::MAX - 4, u32::MAX] {
        assert_eq!(told(start, &[(3, "def"), (0, "abc"), (3, "def"), (6, "ghi")]).1, "abcdefghi");
        assert_eq!(told(start, &[(6, "ghi"), (3, "def"), (0, "abc")]).1, "abcdefghi");
        assert_eq!(told(start, &[(0, "abc"), (0, "abcdef"), (2, "cdefgh")]).1, "abcdefgh");
    }
}

#[test]
fn of_bytes_that_differ_the_first_win() {
    assert_eq!(told(1, &[(0, "abc"), (1, "XYd")]).1, "abcd");
    assert_eq!(told(1, &[(3, "def"), (2, "XYZVWg"), (0, "abc")]).1, "abXdefWg");
    assert_eq!(told(1, &[(2, "c"), (4, "e"), (1, "BCDEF"), (0, "a")]).1, "aBcDeF");
    assert_eq!(told(1, &[(2, "cd"), (0, "abXYef")]).1, "abcdef");
}

#[test]
fn without_a_known_beginning_the_first_segment_is_it() {
    let (mut stream, mut told) = (Stream::default(), Told::default());
    feed(&mut stream, 5000, "abc", &mut told);
    feed(&mut stream, 4000, "old", &mut told);
    feed(&mut stream, 5003, "def", &mut told);
    assert_eq!(told.0, "abcdef");
}

#[test]
fn a_gap_is_told_when_the_other_end_has_it() {
    let (mut stream, said) = told(1, &[(0, "abc"), (5, "fgh"), (9, "j")]);
    assert_eq!(said, "abc");
    let mut told = Told::default();
    stream.acknowledged(4, &mut |piece| told.take(piece));
    stream.acknowledged(5, &mut |piece| told.take(piece));
    assert_eq!(told.0, "", "only what was seen is acknowledged");
    stream.acknowledged(9, &mut |piece| told.take(piece));
    assert_eq!(told.0, "??fgh");
    feed(&mut stream, 4, "de", &mut told);
    stream.acknowledged(6, &mut |piece| told.take(piece));
    assert_eq!(told.0, "??fgh", "what comes too late is left out, and so are old acknowledgements");
    stream.acknowledged(11, &mut |piece| told.take(piece));
    assert_eq!(told.0, "??fgh?j");
}

#[test]
fn an_acknowledgement_that_came_first_tells_the_gap_with_the_segment_behind_it() {
    let (mut stream, mut told) = (Stream::starting_at(Some(1)), Told::default());
    stream.acknowledged(7, &mut |piece| told.take(piece));
    assert_eq!(told.0, "");
    feed(&mut stream, 4, "def", &mut told);
    assert_eq!(told.0, "???def");
}

#[test]
fn bytes_that_were_not_captured_are_a_gap() {
    let (mut stream, mut told) = (Stream::starting_at(Some(1)), Told::default());
    let cut = |sequence| Segment { sequence, data: b"ab", length: 4, fin: false };
    for sequence in [5, 1] {
        stream.segment(&cut(sequence), usize::MAX, &mut |piece| told.take(piece));
    }
    assert_eq!(told.0, "ab??ab??");
}

#[test]
fn the_end_is_told_once_behind_the_last_byte() {
    let (mut stream, mut told) = (Stream::starting_at(Some(1)), Told::default());
    let last = Segment { sequence: 4, data: b"def", length: 3, fin: true };
    stream.segment(&last, usize::MAX, &mut |piece| told.take(piece));
    assert_eq!(told.0, "");
    feed(&mut stream, 1, "abc", &mut told);
    stream.segment(&last, usize::MAX, &mut |piece| told.take(piece));
    stream.finish(&mut |piece| told.take(piece));
    assert_eq!(told.0, "abcdef.");
}

#[test]
fn an_acknowledged_fin_ends_a_direction_whose_last_bytes_were_not_seen() {
    let (mut stream, mut told) = (Stream::starting_at(Some(1)), Told::default());
    stream.segment(&Segment { sequence: 4, data: b"", length: 0, fin: true }, 0, &mut |piece| told.take(piece));
    stream.acknowledged(5, &mut |piece| told.take(piece));
    assert_eq!(told.0, "???.");
}

#[test]
fn what_is_kept_goes_out_at_the_end_of_the_flow() {
    let (mut stream, said) = told(1, &[(2, "c"), (6, "g")]);
    let mut told = Told(said);
    stream.finish(&mut |piece| told.take(piece));
    assert_eq!(told.0, "??c???g.");
    assert_eq!(stream.held_bytes(), 0);
}

#[test]
fn more_than_can_be_kept_makes_a_gap() {
    let block = "x".repeat(1000);
    let (mut stream, mut told) = (Stream::starting_at(Some(0)), Told::default());
    for segment in 1..=33 {
        feed(&mut stream, segment * 1000, &block, &mut told);
        assert!(stream.held_bytes() <= held::MAX_BYTES);
    }
    assert_eq!((told.0.len(), told.0.matches('?').count()), (34_000, 1000));
}

#[test]
fn the_smallest_segments_are_bounded_in_number() {
    let (mut stream, mut told) = (Stream::starting_at(Some(0)), Told::default());
    for segment in 1..=1000 {
        feed(&mut stream, segment * 2, "x", &mut told);
        assert!(stream.held_bytes() <= held::MAX_SEGMENTS);
    }
    assert!(told.0.len() > 1500, "{}", told.0.len());
}

#[test]
fn without_room_for_all_directions_together_nothing_is_kept() {
    let (mut stream, mut told) = (Stream::starting_at(Some(1)), Told::default());
    let early = Segment { sequence: 4, data: b"def", length: 3, fin: false };
    stream.segment(&early, 2, &mut |piece| told.take(piece));
    assert_eq!((told.0.as_str(), stream.held_bytes()), ("???def", 0));
}

proptest! {
    #[test]
    fn any_cut_order_and_repetition_gives_the_stream(
        length in 1_usize..600,
        start in any::<u32>(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 1_usize..80), 0..40),
        order in any::<u64>(),
    ) {
        let text: String = (0..length).map(|at| char::from(b'a' + (at * 7 % 26) as u8)).collect();
        let mut segments: Vec<(usize, usize)> = (0..length).step_by(25).map(|at| (at, length.min(at + 25))).collect();
        segments.extend(cuts.iter().map(|(at, size)| (at.index(length), length.min(at.index(length) + size))));
        segments.sort_by_key(|&(from, to)| ((from as u64 + 1) ^ (to as u64) << 20).wrapping_mul(order | 1));
        let (mut stream, mut told) = (Stream::starting_at(Some(start)), Told::default());
        for (from, to) in segments {
            feed(&mut stream, start.wrapping_add(from as u32), &text[from..to], &mut told);
        }
        prop_assert_eq!(&told.0, &text);
        prop_assert_eq!(stream.held_bytes(), 0);
    }

    #[test]
    fn whatever_comes_the_pieces_never_overlap_and_bounds_hold(
        segments in prop::collection::vec((any::<u32>(), 0_u32..3000, any::<bool>(), any::<Option<u32>>()), 0..60),
    ) {
        let bytes = vec![b'x'; 3000];
        let (mut stream, mut told) = (Stream::starting_at(Some(0)), 0_u64);
        for (sequence, length, fin, acknowledged) in segments {
            let mut sink = |piece: Piece<'_>| match piece {
                Piece::Data(data) => told += data.len() as u64,
                Piece::Gap(bytes) => told += u64::from(bytes),
                Piece::End => {}
            };
            let segment = Segment { sequence, data: &bytes[..length as usize / 2], length, fin };
            stream.segment(&segment, usize::MAX, &mut sink);
            if let Some(number) = acknowledged {
                stream.acknowledged(number, &mut sink);
            }
            prop_assert!(stream.held_bytes() <= held::MAX_BYTES);
            prop_assert_eq!(told as u32, stream.next.unwrap_or_default());
        }
    }
}
