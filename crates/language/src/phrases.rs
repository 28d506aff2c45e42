//! Turns of phrase behind a noun that place, order, relate, exclude or liken it, with their meaning.
//!
//! Sides are the camera's. Words that only soften ("directly", "just") are skipped by the reader before it looks here.

use super::parsed_command::{Place, Relation, Respect};
use super::pattern::{Sides, Table};
use super::text_words::Words;

/// A side from which things are counted or towards which they stand out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
    Top,
    Bottom,
    Near,
    Far,
    Middle,
}

/// What a turn of phrase means; most want an anchor behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// In this part of the picture.
    At(Place),
    /// The first from this side.
    Most(Side),
    /// Counted from this side: goes with a rank that was said before.
    From(Side),
    /// Stands so to the anchor behind it.
    Related(Relation),
    /// Nearest of all to the anchor behind it.
    NearestTo,
    /// Farthest of all from the anchor behind it.
    FarthestFrom,
    /// What follows is excluded.
    Except,
    /// What follows is excluded, a thing or a look: "not red", "not the red one".
    Not,
    /// Like, or unlike, the anchor behind it.
    Alike(Respect, bool),
    /// Has what follows: "with a handle".
    With,
    /// Has not what follows.
    Without,
    /// A relative clause begins.
    That,
    /// A relative clause with a negation begins.
    ThatNot,
    /// Says nothing of use.
    Nothing,
}

use Turn::{
    Alike, At, Except, FarthestFrom, From, Most, NearestTo, Not, Nothing, Related, That, ThatNot, With, Without,
};

/// What a turn means with the sides that it names.
type OfSides = fn(Sides) -> Turn;

/// Turns that name a side or a corner, which their meaning is made of.
static SIDED: Table<OfSides> = Table::new(&[
    ("on|to|at the|my|your? far|extreme|very|outer {h} side|end|edge?", |sides| Most(sides.side())),
    ("far {h}", |sides| Most(sides.side())),
    ("all the way to|on|at the {h}", |sides| Most(sides.side())),
    ("the? farthest|furthest|farther|further|most|more over|out? to|on|towards|at? the|your|my? {h} side?", |sides| Most(sides.side())),
    ("closest|nearest to? the {h} side|edge?", |sides| Most(sides.side())),
    ("on|to|at|in|towards|toward|over the|my|your|our|its? {h} hand? side|half|part|end?", |sides| At(sides.half())),
    ("{h} side?", |sides| At(sides.half())),
    ("in|at|on|near|by|into|to the|my|your? {v} {h} hand? corner|side|quadrant|part|edge|area?", |sides| At(sides.corner())),
    ("in|at|on|near|by the|my|your? {h} {v} corner|quadrant", |sides| At(sides.corner())),
    ("in|at|near|by the corner at|on|in the {v} {h}", |sides| At(sides.corner())),
    ("in|at|on|near the {v} corner on|at|to|of the {h} side?", |sides| At(sides.corner())),
    ("at|on the {v} on|at|to the {h}", |sides| At(sides.corner())),
    ("{v} {h} corner?", |sides| At(sides.corner())),
    ("counting|counted|starting|seen|as|when|if|going|you|we|count|in|line|a|row? counting|counted|starting|seen|count|line|row? from|on|at the|my|your? {h} side|end|edge?", |sides| From(sides.side())),
    ("counting|counted|starting|going? from the? {h} to the? left|right", |sides| From(sides.side())),
    ("on|to|at|in the|its|their {h} hand? side? of|from", |sides| Related(sides.relation())),
    ("{h} of|from|to", |sides| Related(sides.relation())),
]);

impl Sides {
    fn side(self) -> Side {
        if self.is_right {
            Side::Right
        } else {
            Side::Left
        }
    }

    fn half(self) -> Place {
        if self.is_right {
            Place::Right
        } else {
            Place::Left
        }
    }

    fn relation(self) -> Relation {
        if self.is_right {
            Relation::RightOf
        } else {
            Relation::LeftOf
        }
    }

    fn corner(self) -> Place {
        match (self.is_upper, self.is_right) {
            (true, false) => Place::TopLeft,
            (true, true) => Place::TopRight,
            (false, false) => Place::BottomLeft,
            (false, true) => Place::BottomRight,
        }
    }
}

/// The turn that takes most words at a place, with how many.
pub fn turn_at(words: &Words, at: usize, end: usize) -> Option<(Turn, usize)> {
    let sided = SIDED.longest_with_sides(words, at, end).map(|(turn, taken, sides)| (turn(sides), taken));
    let plain = TURNS.longest(words, at, end).map(|(turn, taken)| (*turn, taken));
    match (sided, plain) {
        (Some(sided), Some(plain)) => Some(if plain.1 > sided.1 { plain } else { sided }),
        (sided, plain) => sided.or(plain),
    }
}

/// All other turns; the longest match counts.
static TURNS: Table<Turn> = Table::new(&[
    // the first from a side
    ("the? leftmost|left-most", Most(Side::Left)),
    ("the? rightmost|right-most", Most(Side::Right)),
    ("the? topmost|uppermost", Most(Side::Top)),
    ("the? bottommost|bottom-most", Most(Side::Bottom)),
    ("farthest|furthest up", Most(Side::Top)),
    ("farthest|furthest down", Most(Side::Bottom)),
    ("the? closest|nearest of all|them?", Most(Side::Near)),
    ("the? closest|nearest|closer|nearer to? me|us|you|myself|here|ourselves", Most(Side::Near)),
    ("the? closest|nearest to? the|my|our camera|viewer|robot|lens|speaker|observer|front|foreground|side|position|viewpoint|hand|gripper", Most(Side::Near)),
    ("the? closest|nearest to? where i|we|you am|are|stand standing?", Most(Side::Near)),
    ("most in the? front", Most(Side::Near)),
    ("the? farthest|furthest|remotest back|away|off|out?", Most(Side::Far)),
    ("the? most distant|remote", Most(Side::Far)),
    ("the? farthest|furthest to|in|at|towards the back|rear", Most(Side::Far)),
    ("the? farthest|furthest|most|remotest distant|remote? away? from the|my|our? me|us|you|myself|here|camera|viewer|robot|lens|speaker|observer|front|side|position|viewpoint", Most(Side::Far)),
    ("closest|nearest to? the middle|center|centre", Most(Side::Middle)),
    // parts of the picture
    ("at|on|in|near|towards the? very? top|upper side|half|part|end|edge?", At(Place::Top)),
    ("up|high top|up", At(Place::Top)),
    ("at|on|in|near|towards the? very? bottom|lower side|half|part|end|edge?", At(Place::Bottom)),
    ("in front", At(Place::Front)),
    ("at|in|on|towards|toward|near|up the? very? front|foreground side|row|half|part?", At(Place::Front)),
    ("close|near|nearby to|by? the? me|us|you|here|camera|viewer|robot|lens|speaker|observer|front", At(Place::Front)),
    ("at|in|on|towards|toward|near the? very? back|rear|background|distance side|row|half|part|end?", At(Place::Back)),
    ("at|on the far end|side", At(Place::Back)),
    ("far|further|farther away|off|back|out", At(Place::Back)),
    ("far away? from the? me|us|you|here|camera|viewer|robot|lens|front", At(Place::Back)),
    ("way? in|at|near|on|around the|dead|very? middle|center|centre", At(Place::Middle)),
    ("front", At(Place::Front)),
    ("back", At(Place::Back)),
    ("middle|center|centre", At(Place::Middle)),
    ("top", At(Place::Top)),
    ("bottom", At(Place::Bottom)),
    // counting
    ("counting|counted|starting? from the? top|above", From(Side::Top)),
    ("counting|counted|starting? from the? bottom|below", From(Side::Bottom)),
    ("counting|counted|starting? from the? front|camera|near|us|me|here side|end?", From(Side::Near)),
    ("counting|counted|starting? from the? back|rear|far side|end?", From(Side::Far)),
    // relations
    ("in the? front of", Related(Relation::InFrontOf)),
    ("before", Related(Relation::InFrontOf)),
    ("ahead of", Related(Relation::InFrontOf)),
    ("closer|nearer to? the? us|me|you|camera|viewer|robot|front? than", Related(Relation::InFrontOf)),
    ("on the near side of", Related(Relation::InFrontOf)),
    ("behind|beyond|past", Related(Relation::Behind)),
    ("in|at the? back|rear of", Related(Relation::Behind)),
    ("farther|further away|back|off|from? us|me|the? camera? than", Related(Relation::Behind)),
    ("on the far side of", Related(Relation::Behind)),
    ("above|over", Related(Relation::Above)),
    ("higher than", Related(Relation::Above)),
    ("below", Related(Relation::Below)),
    ("lower than", Related(Relation::Below)),
    ("bigger|larger|wider|longer|greater|thicker|fatter in? size? than", Related(Relation::LargerThan)),
    ("taller in? height? than", Related(Relation::TallerThan)),
    ("brighter|lighter|paler in? color? than", Related(Relation::BrighterThan)),
    ("darker in? color? than", Related(Relation::DarkerThan)),
    ("smaller|narrower|shorter|thinner in? size? than", Related(Relation::SmallerThan)),
    ("next|close|near|adjacent|nearby|closely to|by", Related(Relation::NextTo)),
    ("at", Related(Relation::NextTo)),
    ("beside|near|by|alongside|nearby|touching|against|around|opposite", Related(Relation::NextTo)),
    ("at|by|on|along the|its? side of", Related(Relation::NextTo)),
    ("in the vicinity|neighbourhood|neighborhood of", Related(Relation::NextTo)),
    ("not far from", Related(Relation::NextTo)),
    ("on|onto|upon|atop", Related(Relation::On)),
    ("on|at the? top of", Related(Relation::On)),
    ("supported|carried|held by", Related(Relation::On)),
    ("in|inside|within of?", Related(Relation::In)),
    ("contained in|by", Related(Relation::In)),
    ("in the inside of", Related(Relation::In)),
    ("under|underneath|beneath", Related(Relation::Under)),
    ("in|right|half|halfway|midway|half-way|sandwiched|squeezed|somewhere? way? between|amid|betwixt", Related(Relation::Between)),
    ("in|at the middle|center|centre of", Related(Relation::Between)),
    ("flanked|surrounded|framed|enclosed by", Related(Relation::Between)),
    ("with", With),
    ("having|has|have|featuring", With),
    ("far|away from", Related(Relation::AwayFrom)),
    ("far away from", Related(Relation::AwayFrom)),
    ("the? closest|nearest|closer|nearer to", NearestTo),
    ("the? closest|nearest", NearestTo),
    ("at the? shortest|smallest|least distance from|to", NearestTo),
    ("the? most near|close to", NearestTo),
    ("the? least far|distant from", NearestTo),
    ("the? farthest|furthest|farther|further|remotest away? from", FarthestFrom),
    ("the? most distant|remote|far away? from", FarthestFrom),
    ("the? least close|near to", FarthestFrom),
    ("at the? greatest|longest|largest distance from|to", FarthestFrom),
    // exclusion
    ("except|excepting|excluding|besides|minus|bar|barring|unlike|but for?", Except),
    ("else but|besides", Except),
    ("else|other|rather than", Except),
    ("but|and|just|only|definitely|certainly? not|never", Not),
    ("that|which|and|but? you|i? do|does|did not|n't mean|want|take|include", Except),
    ("with the exception of", Except),
    ("apart|aside from", Except),
    ("neither|nor", Not),
    ("save for", Except),
    ("instead of", Except),
    ("in place of", Except),
    ("as opposed to", Except),
    ("different from|than|to", Except),
    ("without counting|touching|moving|taking|disturbing|hitting|knocking over?", Except),
    ("without|lacking|missing", Without),
    ("with no", Without),
    ("that|which has|have no", Without),
    ("that|which does|do not|n't have", Without),
    ("that|which doesn't|don't have", Without),
    // likeness
    ("of|in|with|having|has|have|that|which|sharing? has|have|shares|share|is? of|in? the? same color as|like", Alike(Respect::Colour, true)),
    ("same-colored as|like", Alike(Respect::Colour, true)),
    ("of|in|with|having|has|shares|sharing? the? color of|as", Alike(Respect::Colour, true)),
    ("that|which? matches|matching|match the? color? of? in? color?", Alike(Respect::Colour, true)),
    ("whose color is the? same? as|like", Alike(Respect::Colour, true)),
    ("whose color matches|equals that? of?", Alike(Respect::Colour, true)),
    ("that|which? shares|share|sharing its|the|a? color with", Alike(Respect::Colour, true)),
    ("colored like|as", Alike(Respect::Colour, true)),
    ("colored the same as|like", Alike(Respect::Colour, true)),
    ("as|equally colored? like|as", Alike(Respect::Colour, true)),
    ("of|in|with|having|has|that|which? has|is? a|of|in? different|another color than|from|to", Alike(Respect::Colour, false)),
    ("of|in|with|that? a? not|isn't|doesn't? of|in|have? the? same color as", Alike(Respect::Colour, false)),
    ("that doesn't|does not? have|share the same? color of|as", Alike(Respect::Colour, false)),
    ("of|in|with|having|that|has|is? has|of? the? same kind|type|sort|shape|form as|like", Alike(Respect::Kind, true)),
    ("shaped like", Alike(Respect::Kind, true)),
    ("of|with|having|that? has|is? of|a? different kind|type|sort|shape than|from|to", Alike(Respect::Kind, false)),
    ("of|with|having|that|has? is|has|of? the? same size as", Alike(Respect::Size, true)),
    ("that|is? is? as big|large|small|tall as", Alike(Respect::Size, true)),
    // relative clauses
    ("that|which|who|it is|are|'s|was|were|sits|sit|stands|stand|lies|lie|lays|stays|rests|rest|appears|seems|looks|goes", That),
    ("is|are", That),
    ("that's|who's|it's", That),
    ("that|which|who? might|may|could|should|would be", That),
    ("i.e|ie|namely|meaning|specifically", That),
    ("that|which|it is|are not|never", ThatNot),
    ("that's|it's not", ThatNot),
    ("that|which|it isn't|aren't|ain't|wasn't|doesn't|don't look|appear|seem|sit|stand|lie?", ThatNot),
    ("that|which|it does|do not look|appear|seem|sit|stand|lie?", ThatNot),
    ("anything|everything|something but", Except),
    ("sitting|standing|lying|located|placed|positioned|situated|found|resting|laying|seen|set|left?", Nothing),
    ("you|we|i can? see", Nothing),
    ("in half|halves", Nothing),
    ("all? by|on itself|themselves", Nothing),
    ("over|right? there|here", Nothing),
    ("that? someone|somebody|i|you|we|he|she|they has|have|had|just? left|put|placed|forgot|set|dropped|laid|kept", Nothing),
    ("of the? two|three|four|five|six|lot|all|them|these|those|bunch|group|pair", Nothing),
    ("of them|all|these|those all?", Nothing),
    ("of all of? them?", Nothing),
    ("up|down|out|off|over|away", Nothing),
    ("there|here|now|please|currently|over|for|thanks|thank|you|yeah|yes|ok|okay|too|again|alone|quickly|carefully|gently|slowly", Nothing),
    ("for|to me|us", Nothing),
    ("in|of color|hue", Nothing),
]);

/// Things that are what the picture shows or stands on rather than things in it: a place "of the table" is a place.
pub const SETTINGS: &[&str] = &[
    "picture", "image", "photo", "photograph", "frame", "scene", "screen", "view", "shot", "table", "tabletop", "desk",
    "room", "counter", "countertop", "workspace", "workbench", "bench", "group", "row", "line", "pile", "bunch",
    "others", "rest", "floor", "ground", "surface", "area", "arrangement", "lot", "display", "setup",
];

/// Who speaks or looks.
pub const SPEAKERS: &[&str] =
    &["me", "us", "you", "camera", "robot", "viewer", "myself", "lens", "observer", "speaker", "here", "yourself"];
