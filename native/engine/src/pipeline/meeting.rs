//! What a flow shows is looked up in the lists in force.

use std::sync::Arc;

use app::AppProtocol;

use super::Worker;
use crate::detect::Shown;
use crate::flow::FlowFlags;

impl Worker {
    /// The flow at `place` shows a name, a URL or a fingerprint in `seen_in`. If an entry lists it, that is reported at
    /// the end of the block (live) or of the second (read), each entry and each text once a flow.
    pub fn meet_shown(&mut self, place: u32, shown: &Shown<'_>, seen_in: AppProtocol) {
        let flow = self.flows.get_mut(place);
        let port = flow.tuple().resp.port;
        let Some(found) = shown.look_up(&self.watch.watchlists, port, self.clock.now_ns()) else { return };
        let entry = self.watch.describe(&found);
        if self.ledger.open_observed(place, Arc::clone(&entry), found.matched, shown.observed(port, seen_in)) {
            flow.flags.insert(FlowFlags::ALERTED);
            self.counters.count_list_hit(&entry.list);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Mode;
    use crate::detect::{Hit, HitEvent, Stage};
    use crate::flow::ORIG;
    use crate::testing::*;

    fn asking(port: u16) -> Vec<u8> {
        udp(End(PC.0, port), End([10, 0, 0, 53], 53), b"question")
    }

    /// Shows a name in the worker's first flow.
    fn show(bench: &mut Bench, name: &str) {
        let place = (0..bench.worker.flows.places()).find(|place| bench.worker.flows.at(*place).is_some());
        let place = place.expect("a flow");
        bench.worker.meet_shown(place, &Shown::Name(name.as_bytes()), AppProtocol::Dns);
    }

    /// What is told at the end of the next block.
    fn told(bench: &mut Bench) -> Vec<Hit> {
        bench.feed(&[]);
        bench.notices.try_iter().flat_map(|notice| notice.hits).collect()
    }

    fn texts(hits: &[Hit]) -> Vec<(HitEvent, Option<String>)> {
        hits.iter().map(|hit| (hit.event, hit.observed.as_ref().map(|observed| observed.text.to_string()))).collect()
    }

    #[test]
    fn a_listed_name_is_told_with_the_flow_that_showed_it() {
        let mut bench = Bench::new(Mode::Live, 10);
        bench.watch("*.evil.example\n");
        bench.feed(&[(0, asking(40_000))]);
        show(&mut bench, "good.example");
        assert!(told(&mut bench).is_empty());
        show(&mut bench, "A.Evil.Example");
        let hits = told(&mut bench);
        assert_eq!(texts(&hits), [(HitEvent::Open, Some("A.Evil.Example".to_owned()))]);
        let hit = &hits[0];
        assert_eq!((hit.stage, hit.counts[ORIG].packets), (Stage::Attempt, 1));
        assert_eq!(hit.observed.as_ref().map(|observed| observed.seen_in), Some(AppProtocol::Dns));
        assert_eq!(hit.entry.indicator, "*.evil.example");
        assert_eq!(bench.published.read().list_hits, [("test".to_owned(), 1)]);
        assert!(bench.records()[0].alerted);
    }

    #[test]
    fn each_entry_is_told_once_a_flow_and_beside_its_address() {
        let mut bench = Bench::new(Mode::Live, 10);
        bench.watch("10.0.0.53\n*.evil.example\nbad.example\n");
        bench.feed(&[(0, asking(40_000))]);
        assert_eq!(texts(&told(&mut bench)), [(HitEvent::Open, None)]);
        for name in ["a.evil.example", "b.evil.example", "bad.example", "bad.example"] {
            show(&mut bench, name);
        }
        let first =
            [(HitEvent::Open, Some("a.evil.example".to_owned())), (HitEvent::Open, Some("bad.example".to_owned()))];
        assert_eq!(texts(&told(&mut bench)), first);
        bench.watch("other.example\n*.evil.example\n");
        bench.feed(&[(1, asking(40_000))]);
        show(&mut bench, "a.evil.example");
        assert!(told(&mut bench).is_empty());
        let (_, notices) = bench.finish();
        let ends: Vec<_> = notices.iter().flat_map(|notice| &notice.hits).map(|hit| hit.event).collect();
        assert_eq!(ends, [HitEvent::End; 3]);
    }

    #[test]
    fn a_name_goes_further_with_its_flow() {
        let mut bench = Bench::new(Mode::Live, 10);
        bench.watch("evil.example\n");
        bench.feed(&[(0, tcp(PC, SERVER, SYN, 100, b""))]);
        show(&mut bench, "evil.example");
        assert_eq!(told(&mut bench).len(), 1);
        bench.feed(&[(1, tcp(SERVER, PC, SYN_ACK, 900, b""))]);
        let hits = told(&mut bench);
        assert_eq!((hits[0].event, hits[0].stage), (HitEvent::Progress, Stage::Contact));
    }

    #[test]
    fn what_a_flow_shows_last_is_told_when_it_ends() {
        let mut bench = Bench::new(Mode::Read, 10);
        bench.watch("evil.example\n");
        bench.feed(&[(0, asking(40_000))]);
        show(&mut bench, "evil.example");
        let (seconds, _) = bench.finish();
        let events: Vec<_> = seconds.iter().flat_map(|second| &second.hits).map(|hit| hit.event).collect();
        assert_eq!(events, [HitEvent::Open, HitEvent::End]);
    }

    #[test]
    fn a_flow_that_shows_any_number_of_listed_names_is_bounded_and_that_is_counted() {
        let mut bench = Bench::new(Mode::Live, 10);
        let names: Vec<String> = (0..40).map(|n| format!("n{n}.example")).collect();
        bench.watch(&names.join("\n"));
        bench.feed(&[(0, asking(40_000))]);
        names.iter().for_each(|name| show(&mut bench, name));
        let hits = told(&mut bench);
        assert_eq!((hits.len(), bench.published.read().meetings_forgotten), (32, 8));
        bench.feed(&[(1, asking(40_001))]);
        assert_eq!(bench.finish().1.iter().map(|notice| notice.hits.len()).sum::<usize>(), 32);
    }
}
