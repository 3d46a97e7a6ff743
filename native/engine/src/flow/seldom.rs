//! What few flows have: it is kept beside them, so that the others are small.

use app::AppProtocol;
use wire::FiveTuple;

use super::{Counts, Flow};
use crate::mirror::TcpGap;

/// What few flows have; pairs are indexed by originator and responder.
#[derive(Debug, Default)]
pub(super) struct Seldom {
    /// Totals as of the last interim record.
    recorded: [Counts; 2],
    /// What the mirror never showed of each direction.
    gaps: [TcpGap; 2],
    /// What the flow spoke first, if it has become another conversation since.
    app_before: Option<AppProtocol>,
    /// The packet that its first packet, an ICMP error, quotes.
    quoted: Option<FiveTuple>,
}

impl Seldom {
    /// That of a flow whose first packet quotes another one.
    pub(super) fn quoting(quoted: FiveTuple) -> Box<Self> {
        Box::new(Self { quoted: Some(quoted), ..Self::default() })
    }

    pub(super) fn reverse(&mut self) {
        self.recorded.reverse();
        self.gaps.reverse();
    }
}

impl Flow {
    fn seldom_mut(&mut self) -> &mut Seldom {
        self.seldom.get_or_insert_default()
    }

    /// Totals as of the last record.
    pub(super) fn recorded(&self) -> [Counts; 2] {
        self.seldom.as_ref().map_or_else(Default::default, |seldom| seldom.recorded)
    }

    /// A record of all there is was made, and the flow goes on.
    pub(super) fn set_recorded(&mut self) {
        self.seldom_mut().recorded = self.totals;
    }

    /// What the mirror never showed of each direction.
    pub(crate) fn gaps(&self) -> [TcpGap; 2] {
        self.seldom.as_ref().map_or_else(Default::default, |seldom| seldom.gaps)
    }

    /// Whether that is anything.
    #[inline]
    pub(crate) fn has_gaps(&self) -> bool {
        self.gaps_open
    }

    /// Keeps what [`Flow::gaps`] will tell.
    pub(crate) fn set_gaps(&mut self, gaps: [TcpGap; 2]) {
        let open = gaps.iter().any(|gap| !gap.is_closed());
        if open || self.gaps_open {
            self.seldom_mut().gaps = gaps;
        }
        self.gaps_open = open;
    }

    /// What it spoke first, if it has become another conversation since.
    pub(crate) fn app_before(&self) -> Option<AppProtocol> {
        self.seldom.as_ref()?.app_before
    }

    /// It becomes another conversation.
    pub(crate) fn leave_app(&mut self) {
        let app = self.app;
        self.seldom_mut().app_before.get_or_insert(app);
    }

    /// The packet that its first packet, an ICMP error, quotes.
    pub(super) fn quoted(&self) -> Option<FiveTuple> {
        self.seldom.as_ref()?.quoted
    }
}
