//! Politeness and haste at the end of a text: "..., thanks a lot", "... right now", "... if you can".

use super::pattern::Table;
use super::text_words::Words;

/// Said at the end for politeness or haste.
static POLITE: Table<()> = Table::new(&[
    ("thanks a|so|very? lot|much?", ()),
    ("many thanks", ()),
    ("thank you so|very? much|robot?", ()),
    ("right now|away", ()),
    ("as soon as possible|you|can? can?", ()),
    ("asap|please|pls|plz|immediately", ()),
    ("if you can|could|would|like|want|will|please", ()),
    ("if possible|necessary", ()),
    ("if you don't|wouldn't mind", ()),
    ("will|would|could|can you please?", ()),
    ("for me please?", ()),
    ("and be quick|careful about|with? it?", ()),
]);

/// Words of the longest turn of the table.
const LONGEST: usize = 6;

impl Words {
    /// The same without what is said last and asks for nothing more.
    pub fn without_politeness(&self) -> Words {
        let mut end = self.len();
        loop {
            let polite = |at: &usize| POLITE.longest(self, *at, end).is_some_and(|(_, taken)| at + taken == end);
            let Some(said) = (end.saturating_sub(LONGEST).max(2)..end).rev().find(polite) else { break };
            end = (1..said).rev().find(|at| !self.is_mark(*at)).map_or(1, |last| last + 1);
        }
        self.slice(0..end)
    }
}
