//! Turns of phrase behind a noun that place, order, relate, exclude or liken it, with their meaning.
//!
//! Sides are the camera's. Words that only soften ("directly", "just") are skipped by the reader before it looks here.

use super::parsed_command::{Place, Relation, Respect};
use super::pattern::Pattern;

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

/// The table; the longest match counts.
pub const TURNS: &[(Pattern, Turn)] = &[
    // the first from a side
    ("on|to|at the|my|your? far|extreme|very|outer left side|end|edge?", Most(Side::Left)),
    ("on|to|at the|my|your? far|extreme|very|outer right side|end|edge?", Most(Side::Right)),
    ("far left", Most(Side::Left)),
    ("far right", Most(Side::Right)),
    ("all the way to|on|at the left", Most(Side::Left)),
    ("all the way to|on|at the right", Most(Side::Right)),
    ("the? farthest|furthest|farther|further|most|more over|out? to|on|towards|at? the|your|my? left side?", Most(Side::Left)),
    ("the? farthest|furthest|farther|further|most|more over|out? to|on|towards|at? the|your|my? right side?", Most(Side::Right)),
    ("closest|nearest to? the left side|edge?", Most(Side::Left)),
    ("closest|nearest to? the right side|edge?", Most(Side::Right)),
    ("the? leftmost|left-most", Most(Side::Left)),
    ("the? rightmost|right-most", Most(Side::Right)),
    ("the? topmost|uppermost", Most(Side::Top)),
    ("the? bottommost|bottom-most", Most(Side::Bottom)),
    ("farthest|furthest up", Most(Side::Top)),
    ("farthest|furthest down", Most(Side::Bottom)),
    ("the? closest|nearest of all|them?", Most(Side::Near)),
    ("the? closest|nearest to? me|us|you|myself|here|ourselves", Most(Side::Near)),
    ("the? closest|nearest to? the|my|our camera|viewer|robot|lens|speaker|observer|front|foreground|side|position|viewpoint|hand|gripper", Most(Side::Near)),
    ("the? closest|nearest to? where i|we|you am|are|stand standing?", Most(Side::Near)),
    ("most in the? front", Most(Side::Near)),
    ("the? farthest|furthest|remotest back|away|off|out?", Most(Side::Far)),
    ("the? most distant|remote", Most(Side::Far)),
    ("the? farthest|furthest to|in|at|towards the back|rear", Most(Side::Far)),
    ("the? farthest|furthest|most|remotest distant|remote? away? from me|us|you|myself|here", Most(Side::Far)),
    ("the? farthest|furthest|most|remotest distant|remote? away? from the|my|our camera|viewer|robot|lens|speaker|observer|front|side|position|viewpoint", Most(Side::Far)),
    ("closest|nearest to? the middle|center|centre", Most(Side::Middle)),
    // parts of the picture
    ("on|to|at|in|towards|toward|over the|my|your|our|its? left|left-hand|lefthand hand? side|half|part|end?", At(Place::Left)),
    ("on|to|at|in|towards|toward|over the|my|your|our|its? right|right-hand|righthand hand? side|half|part|end?", At(Place::Right)),
    ("at|on|in|near|towards the? very? top|upper side|half|part|end|edge?", At(Place::Top)),
    ("up top", At(Place::Top)),
    ("high up", At(Place::Top)),
    ("at|on|in|near|towards the? very? bottom|lower side|half|part|end|edge?", At(Place::Bottom)),
    ("in front", At(Place::Front)),
    ("at|in|on|towards|toward|near|up the? very? front|foreground side|row|half|part?", At(Place::Front)),
    ("close|near|nearby to|by? me|us|you|here", At(Place::Front)),
    ("close|near to|by? the camera|viewer|robot|lens|speaker|observer|front", At(Place::Front)),
    ("at|in|on|towards|toward|near the? very? back|rear|background|distance side|row|half|part|end?", At(Place::Back)),
    ("at|on the far end|side", At(Place::Back)),
    ("far|further|farther away|off|back|out", At(Place::Back)),
    ("far away? from me|us|you|here", At(Place::Back)),
    ("far away? from the camera|viewer|robot|lens|front", At(Place::Back)),
    ("way? in|at|near|on|around the|dead|very? middle|center|centre", At(Place::Middle)),
    ("in|at|on|near|by|into the|my|your? top|upper|back|rear|far left|left-hand hand? corner|side|quadrant|part|edge|area?", At(Place::TopLeft)),
    ("in|at|on|near|by|into the|my|your? top|upper|back|rear|far right|right-hand hand? corner|side|quadrant|part|edge|area?", At(Place::TopRight)),
    ("in|at|on|near|by|into the|my|your? bottom|lower|front|near left|left-hand hand? corner|side|quadrant|part|edge|area?", At(Place::BottomLeft)),
    ("in|at|on|near|by|into the|my|your? bottom|lower|front|near right|right-hand hand? corner|side|quadrant|part|edge|area?", At(Place::BottomRight)),
    ("in|at|on|near|by the|my|your? left|left-hand top|upper|back|rear|far corner|quadrant", At(Place::TopLeft)),
    ("in|at|on|near|by the|my|your? right|right-hand top|upper|back|rear|far corner|quadrant", At(Place::TopRight)),
    ("in|at|on|near|by the|my|your? left|left-hand bottom|lower|front|near corner|quadrant", At(Place::BottomLeft)),
    ("in|at|on|near|by the|my|your? right|right-hand bottom|lower|front|near corner|quadrant", At(Place::BottomRight)),
    ("in|at|near|by the corner at|on|in the top|upper left", At(Place::TopLeft)),
    ("in|at|near|by the corner at|on|in the top|upper right", At(Place::TopRight)),
    ("in|at|near|by the corner at|on|in the bottom|lower left", At(Place::BottomLeft)),
    ("in|at|near|by the corner at|on|in the bottom|lower right", At(Place::BottomRight)),
    ("in|at|on|near the top|upper|back|rear|far corner on|at|to|of the left side?", At(Place::TopLeft)),
    ("in|at|on|near the top|upper|back|rear|far corner on|at|to|of the right side?", At(Place::TopRight)),
    ("in|at|on|near the bottom|lower|front|near corner on|at|to|of the left side?", At(Place::BottomLeft)),
    ("in|at|on|near the bottom|lower|front|near corner on|at|to|of the right side?", At(Place::BottomRight)),
    ("at|on the top on|at|to the left", At(Place::TopLeft)),
    ("at|on the top on|at|to the right", At(Place::TopRight)),
    ("at|on the bottom on|at|to the left", At(Place::BottomLeft)),
    ("at|on the bottom on|at|to the right", At(Place::BottomRight)),
    ("top|upper|back left corner?", At(Place::TopLeft)),
    ("top|upper|back right corner?", At(Place::TopRight)),
    ("bottom|lower|front left corner?", At(Place::BottomLeft)),
    ("bottom|lower|front right corner?", At(Place::BottomRight)),
    ("left side?", At(Place::Left)),
    ("right side?", At(Place::Right)),
    ("front", At(Place::Front)),
    ("back", At(Place::Back)),
    ("middle|center|centre", At(Place::Middle)),
    ("top", At(Place::Top)),
    ("bottom", At(Place::Bottom)),
    // counting
    ("counting|counted|starting|seen|as|when|if|going|you|we|count|in|line|a|row? counting|counted|starting|seen|count|line|row? from|on|at the|my|your? left|left-hand side|end|edge?", From(Side::Left)),
    ("counting|counted|starting|seen|as|when|if|going|you|we|count|in|line|a|row? counting|counted|starting|seen|count|line|row? from|on|at the|my|your? right|right-hand side|end|edge?", From(Side::Right)),
    ("counting|counted|starting? from the? top|above", From(Side::Top)),
    ("counting|counted|starting? from the? bottom|below", From(Side::Bottom)),
    ("counting|counted|starting? from the? front|camera|near", From(Side::Near)),
    ("counting|counted|starting? from the? near side|end", From(Side::Near)),
    ("from left to right", From(Side::Left)),
    ("from right to left", From(Side::Right)),
    ("counting|counted|starting? from the? back|rear|far", From(Side::Far)),
    ("counting|counted|starting? from the? far side|end", From(Side::Far)),
    ("counting|counted|starting? from us|me|here", From(Side::Near)),
    // relations
    ("on|to|at|in the|its|their left|left-hand hand? side? of|from", Related(Relation::LeftOf)),
    ("left of|from|to", Related(Relation::LeftOf)),
    ("on|to|at|in the|its|their right|right-hand hand? side? of|from", Related(Relation::RightOf)),
    ("right of|to", Related(Relation::RightOf)),
    ("in the? front of", Related(Relation::InFrontOf)),
    ("before", Related(Relation::InFrontOf)),
    ("ahead of", Related(Relation::InFrontOf)),
    ("closer|nearer to? us|me|you than", Related(Relation::InFrontOf)),
    ("closer|nearer to? the camera|viewer|robot|front than", Related(Relation::InFrontOf)),
    ("closer|nearer than", Related(Relation::InFrontOf)),
    ("on the near side of", Related(Relation::InFrontOf)),
    ("behind", Related(Relation::Behind)),
    ("in|at the? back|rear of", Related(Relation::Behind)),
    ("beyond|past", Related(Relation::Behind)),
    ("farther|further away|back|off|from? us|me|the? camera? than", Related(Relation::Behind)),
    ("on the far side of", Related(Relation::Behind)),
    ("above|over", Related(Relation::Above)),
    ("higher than", Related(Relation::Above)),
    ("below", Related(Relation::Below)),
    ("lower than", Related(Relation::Below)),
    ("next|close|near|adjacent|nearby|closely to|by", Related(Relation::NextTo)),
    ("at", Related(Relation::NextTo)),
    ("beside|near|by|alongside|nearby|touching|against|around|opposite", Related(Relation::NextTo)),
    ("at|by|on the side of", Related(Relation::NextTo)),
    ("at|by|on|along its? side of", Related(Relation::NextTo)),
    ("in the vicinity|neighbourhood|neighborhood of", Related(Relation::NextTo)),
    ("not far from", Related(Relation::NextTo)),
    ("on|onto|upon|atop", Related(Relation::On)),
    ("on|at the? top of", Related(Relation::On)),
    ("supported|carried|held by", Related(Relation::On)),
    ("in|inside|within", Related(Relation::In)),
    ("inside|within of", Related(Relation::In)),
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
    ("except|excepting|excluding|but for?", Except),
    ("but|and|just|only|definitely|certainly? not|never", Not),
    ("that|which|and|but? you|i? do|does|did not|n't mean|want|take|include", Except),
    ("with the exception of", Except),
    ("other than", Except),
    ("apart|aside from", Except),
    ("besides|excluding|minus|bar|barring", Except),
    ("save for", Except),
    ("rather than", Except),
    ("instead|in of", Except),
    ("instead of", Except),
    ("in place of", Except),
    ("as opposed to", Except),
    ("different from|than|to", Except),
    ("unlike", Except),
    ("without counting", Except),
    ("without touching|moving|taking|disturbing|hitting|knocking over?", Except),
    ("without", Without),
    ("lacking|missing", Without),
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
    ("i.e|ie|namely|meaning|specifically", That),
    ("that|which|it is|are not|never", ThatNot),
    ("that's|it's not", ThatNot),
    ("that|which|it isn't|aren't|ain't|wasn't|doesn't|don't look|appear|seem|sit|stand|lie?", ThatNot),
    ("that|which|it does|do not look|appear|seem|sit|stand|lie?", ThatNot),
    ("anything|everything|something but", Except),
    ("sitting|standing|lying|located|placed|positioned|situated|found|resting|laying|seen|set|left?", Nothing),
    ("you|we|i can? see", Nothing),
    ("of the? two|three|four|five|six|lot|all|them|these|those|bunch|group|pair", Nothing),
    ("of them|all|these|those all?", Nothing),
    ("of all of? them?", Nothing),
    ("up|down|out|off|over|away", Nothing),
    ("there|here|now|please|currently|over|for|thanks|thank|you|yeah|yes|ok|okay|too|again|alone|quickly|carefully|gently|slowly", Nothing),
    ("for|to me|us", Nothing),
    ("in|of color|hue", Nothing),
];

/// Things that are what the picture shows or stands on rather than things in it: a place "of the table" is a place.
pub const SETTINGS: &[&str] = &[
    "picture", "image", "photo", "photograph", "frame", "scene", "screen", "view", "shot", "table", "tabletop", "desk",
    "room", "counter", "countertop", "workspace", "workbench", "bench", "group", "row", "line", "pile", "bunch",
    "others", "rest", "floor", "ground", "surface", "area", "arrangement", "lot", "display", "setup",
];

/// Those of them that things stand on: "on the table" says where a thing is, but the table is seldom among the things that are proposed.
pub const SUPPORTS: &[&str] =
    &["table", "tabletop", "desk", "counter", "countertop", "workbench", "bench", "floor", "ground"];

/// What the camera stands in: seldom proposed either.
pub const ROOMS: &[&str] = &[
    "kitchen", "bedroom", "bathroom", "room", "office", "hall", "hallway", "corridor", "garage", "garden", "lab",
    "laboratory", "house", "apartment", "home", "workshop", "lounge", "study", "entrance", "balcony", "basement",
];

/// Who speaks or looks.
pub const SPEAKERS: &[&str] =
    &["me", "us", "you", "camera", "robot", "viewer", "myself", "lens", "observer", "speaker", "here", "yourself"];
