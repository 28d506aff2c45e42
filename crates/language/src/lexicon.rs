//! The closed classes of words that tell where a noun phrase begins and ends.
//!
//! Nouns are an open class and are not listed: a word that nothing here claims may be one.

/// A closed class of words.
pub type WordList = &'static [&'static str];

pub fn is(words: WordList, word: &str) -> bool {
    words.contains(&word)
}

/// Said before the point: greetings, politeness, order of steps.
pub const OPENERS: WordList = &[
    "please", "hey", "hi", "hello", "ok", "okay", "robot", "now", "then", "first", "firstly", "next", "finally",
    "kindly", "just", "so", "well", "alright", "quickly", "carefully", "gently", "slowly", "again", "also", "and",
    "um", "uh", "yes", "no", "maybe", "perhaps", "possibly", "actually", "instead", "afterwards", "lastly", "secondly",
    "simply", "after", "that's",
];

/// Said to greet or to thank; alone they ask for nothing.
pub const GREETINGS: WordList = &[
    "hello", "hi", "hey", "hallo", "howdy", "greetings", "salutations", "goodbye", "bye", "thanks", "thank", "welcome",
    "yo", "dear", "good", "morning", "evening", "afternoon", "night",
];

pub const MODALS: WordList =
    &["can", "could", "would", "will", "may", "might", "should", "must", "shall", "do", "did", "does", "have"];

pub const SUBJECTS: WordList =
    &["i", "you", "we", "he", "she", "they", "it", "i'd", "i'll", "we'd", "you'll", "i'm", "u"];

pub const BE: WordList = &["is", "are", "was", "were", "be", "am", "been", "being", "'s", "isn't", "aren't"];

pub const DETERMINERS: WordList = &[
    "the", "a", "an", "this", "that", "these", "those", "my", "your", "his", "her", "its", "our", "their", "some",
    "any", "each", "every", "another", "no",
];

/// Objects that stand between a verb and what is handed over.
pub const DATIVES: WordList = &["me", "us", "him", "them", "you", "myself", "yourself"];

pub const PREPOSITIONS: WordList = &[
    "of", "in", "on", "at", "to", "from", "with", "w/", "without", "by", "for", "behind", "beside", "besides", "near",
    "between", "among", "under", "underneath", "beneath", "below", "above", "over", "onto", "into", "through",
    "across", "along", "around", "towards", "toward", "past", "against", "inside", "outside", "within", "about", "up",
    "down", "off", "out", "away", "before", "after", "during", "beyond", "until", "till", "as", "than", "like", "per",
    "via", "w", "next", "amongst", "upon", "throughout", "nearby", "alongside", "atop", "forward", "back", "further",
    "together", "apart", "aside", "ahead",
];

/// Prepositions that say where something goes.
pub const GOAL_PREPOSITIONS: WordList = &[
    "on", "onto", "in", "into", "inside", "at", "to", "over", "above", "below", "under", "behind", "beside", "near",
    "next", "between", "atop", "upon", "against", "right", "left",
];

/// Words that end a noun phrase and are no prepositions.
pub const ENDERS: WordList = &[
    "which", "who", "whose", "whom", "where", "when", "while", "because", "if", "but", "or", "nor", "not", "so", "has",
    "have", "had", "does", "do", "did", "will", "would", "could", "should", "may", "must", "wears", "wear", "holds",
    "sits", "sit", "stands", "looks", "faces", "rides", "eats", "says", "shows", "contains", "goes", "walks", "runs",
    "plays", "then", "there", "here", "please", "too", "also", "i", "you", "we", "he", "she", "they", "it", "me", "us",
    "them", "him", "nobody", "someone", "made", "worn", "held", "cut", "seen", "eaten", "taken", "lit", "stuck",
    "shown", "drawn", "hung", "kept", "put", "asleep", "awake", "alone", "clockwise", "counterclockwise",
    "anticlockwise", "upright", "sideways", "upside", "right-side", "that", "can", "now", "again", "whilst", "&",
    "all", "both", "that's", "who's", "instead", "using", "once", "twice", "immediately", "straight", "vs", "doesn't",
    "isn't", "hasn't", "w/out", "closely", "upstairs", "downstairs", "outdoors", "indoors", "somewhere", "anywhere",
    "opposite", "adjacent", "closer", "wearing", "so", "plus", "according", "else", "ready", "neither", "might",
    "shall", "cannot",
];

/// Where a thing is: alone they may be the phrase, behind a noun they are not part of it.
pub const PLACES: WordList = &[
    "left", "right", "top", "bottom", "middle", "center", "centre", "front", "back", "far", "upper", "lower", "side",
    "corner", "rear", "leftmost", "rightmost", "most", "row", "background", "foreground", "edge",
];

/// Adjectives after a noun that begin a comparison with something else.
pub const COMPARED: WordList = &[
    "closest", "nearest", "farthest", "furthest", "close", "next", "opposite", "adjacent", "similar", "identical",
    "closer", "nearer", "farther", "further", "equal", "parallel", "perpendicular", "directly", "right", "attached",
];

/// Colours by name.
pub const COLOURS: WordList = &[
    "red", "green", "blue", "yellow", "orange", "purple", "pink", "brown", "white", "black", "gray", "grey", "beige",
    "tan", "gold", "golden", "silver", "violet", "cyan", "magenta", "turquoise", "maroon", "navy", "teal", "lime",
    "olive", "indigo", "lavender", "crimson", "scarlet",
];

/// Nouns before a noun that say what it is made of.
pub const MATERIALS: WordList = &[
    "paper", "glass", "plastic", "metal", "wood", "cardboard", "steel", "ceramic", "leather", "cotton", "rubber",
    "stone", "tin", "foam", "silver", "gold", "copper", "brass", "iron",
];

/// Verbs whose object is brought to the place that is said last: "put the mug on the plate".
pub const PLACEMENT: WordList = &[
    "put", "place", "set", "insert", "drop", "stack", "deliver", "pour", "load", "throw", "toss", "hang", "lay",
    "stow", "store", "position", "dispose", "deposit", "dump",
];

/// Adjectives that are no colours, ranks, numbers, sides, sizes or superlatives, which `word_classes.rs` knows.
pub const ADJECTIVES: WordList = &[
    "blond", "blonde", "dark", "light", "bright", "pale", "colored", "coloured", "striped", "spotted", "long", "wide",
    "narrow", "thin", "thick", "fat", "skinny", "heavy", "round", "square", "rectangular", "circular", "oval",
    "triangular", "flat", "curved", "old", "older", "oldest", "young", "younger", "new", "empty", "full", "open",
    "closed", "broken", "dirty", "clean", "wet", "dry", "hot", "cold", "ripe", "fresh", "wooden", "metal", "metallic",
    "plastic", "ceramic", "leather", "steel", "shiny", "transparent", "clear", "fuzzy", "soft", "hard", "most", "next",
    "other", "same", "only", "bald", "asian", "female", "male", "pretty", "few", "several", "many", "more", "whole",
    "entire", "main", "visible", "blurry", "cute", "nice", "very", "really", "slightly", "inner", "outer",
    "multicolored", "plaid", "checkered", "patterned", "glass", "stainless", "chubby", "sleeveless",
];

/// Strong verbs: first in a command they are verbs, whatever follows.
pub const VERBS: WordList = &[
    "pick", "grab", "take", "get", "bring", "give", "fetch", "grasp", "lift", "raise", "move", "push", "pull", "find",
    "locate", "select", "segment", "choose", "detect", "identify", "highlight", "retrieve", "collect", "carry",
    "deliver", "hold", "catch", "throw", "toss", "drop", "release", "put", "insert", "remove", "close", "shut",
    "press", "pour", "rotate", "flip", "shake", "wipe", "wash", "rinse", "cook", "heat", "chill", "examine", "inspect",
    "approach", "follow", "track", "navigate", "go", "walk", "drive", "head", "travel", "reach", "touch", "poke",
    "tap", "see", "watch", "search", "show", "tell", "have", "want", "need", "use", "make", "keep", "leave", "set",
    "lay", "stow", "store", "stack", "unstack", "unplug", "plug", "attach", "detach", "hang", "lower", "tilt", "turn",
    "twist", "slide", "drag", "sweep", "fold", "unfold", "cover", "uncover", "slice", "chop", "peel", "eat", "drink",
    "fill", "activate", "deactivate", "toggle", "enter", "exit", "cross", "pass", "face", "come", "return", "transfer",
    "transport", "shift", "nudge", "gather", "hand", "point", "look", "place", "avoid", "exclude", "outline", "mark",
    "describe", "align", "hit", "squeeze", "seek", "obtain", "acquire", "snatch", "seize", "scoop", "discard",
    "dispose", "ground", "swing", "mop", "vacuum", "trace", "observe", "load", "unload", "swap", "sit", "lean", "hide",
    "meet", "greet", "escort", "lead", "welcome", "salute", "introduce", "serve", "yank", "relocate", "reposition",
    "position", "direct", "guide", "stop", "wait",
];

/// Verbs that are as often nouns or adjectives: verbs only before a determiner, a pronoun or a particle.
pub const WEAK_VERBS: WordList = &[
    "hand", "point", "place", "face", "head", "slice", "track", "cover", "fold", "mark", "stack", "set", "slide",
    "plug", "lower", "close", "cross", "swing", "drink", "cook", "hold", "pass", "hit", "press", "touch", "watch",
    "show", "drop", "store", "walk", "drive", "fill", "load", "catch", "mop", "outline", "ground", "position", "turn",
    "stop", "peel", "clean", "empty", "open", "dry", "toast", "book", "water", "light", "dust", "box", "can", "need",
    "tap", "exit", "heat", "chill", "wash", "swap", "hide", "tilt", "trace", "direct", "switch", "cut", "clear",
    "group", "sort",
];

/// Verbs that hand one thing to somebody, who may stand before it: "give the girl the bear".
pub const GIVING: WordList =
    &["give", "hand", "pass", "bring", "show", "serve", "offer", "fetch", "get", "feed", "throw", "toss"];

/// Verbs of motion: their goal is the target, and directions after them are not.
pub const MOTION: WordList = &[
    "go", "walk", "drive", "navigate", "head", "travel", "turn", "come", "move", "return", "face", "proceed", "run",
    "step", "continue", "stop", "look", "make", "cross", "roll", "fly", "back", "take", "rotate", "hang", "veer",
    "enter", "exit",
];

/// Between a verb and its object.
pub const PARTICLES: WordList = &[
    "up", "down", "out", "off", "on", "over", "away", "back", "in", "at", "to", "for", "towards", "toward", "into",
    "onto", "through", "past", "around", "along", "after", "of", "across", "about", "with", "from", "near", "by",
    "straight", "forward", "backward", "backwards", "ahead", "closer", "inside", "directly", "slowly", "quickly",
    "carefully", "gently", "until", "behind", "beside", "please", "again", "only", "right", "left", "next", "upon",
    "slightly", "clockwise", "counterclockwise", "further", "farther", "front",
];

/// Lengths and turns that are said like objects but are none.
pub const MEASURES: WordList = &[
    "step", "steps", "feet", "foot", "meter", "meters", "metre", "metres", "inch", "inches", "bit", "degrees", "way",
    "look", "seat", "times", "turn", "pace", "paces", "little", "moment", "half", "second", "seconds", "care",
];

/// Units of lengths and angles (SI brochure; NIST SP 811).
pub const UNITS: WordList = &[
    "mm", "cm", "dm", "m", "km", "in", "inch", "inches", "ft", "feet", "foot", "meter", "meters", "metre", "metres",
    "centimeter", "centimeters", "centimetre", "centimetres", "millimeter", "millimeters", "deg", "degrees",
];

/// Lengths that only the speaker knows: "two squares to the left".
pub const STEPS: WordList =
    &["square", "squares", "step", "steps", "space", "spaces", "cell", "cells", "tile", "tiles"];

/// What things stand on: "on the table" says where a thing is, but the table is seldom among the things that are proposed.
pub const SUPPORTS: WordList =
    &["table", "tabletop", "desk", "counter", "countertop", "workbench", "bench", "floor", "ground"];

/// What the camera stands in: seldom proposed either.
pub const ROOMS: WordList = &[
    "kitchen", "bedroom", "bathroom", "room", "office", "hall", "hallway", "corridor", "garage", "garden", "lab",
    "laboratory", "house", "apartment", "home", "workshop", "lounge", "study", "entrance", "balcony", "basement",
];

/// Words in -ing that are nouns.
pub const ING_NOUNS: WordList = &[
    "thing", "ring", "string", "building", "ceiling", "painting", "king", "wing", "railing", "awning", "pudding",
    "icing", "clothing", "earring", "evening", "morning", "something", "anything", "nothing", "everything", "dressing",
    "wedding", "frosting", "topping", "opening", "drawing", "spring", "sibling", "duckling", "bling", "siding",
    "padding", "bedding", "covering", "filling", "wiring", "landing", "crossing", "marking", "swing", "lightning",
    "sling", "stocking", "fitting", "seasoning", "stuffing", "packing", "ping", "viking", "being",
];

/// Nouns that a word in -ing before them belongs to.
pub const ING_HEADS: WordList = &[
    "board", "machine", "table", "room", "pin", "bowl", "cup", "bag", "stick", "meter", "pan", "pot", "door", "chair",
    "pole", "rod", "iron", "light", "liquid", "sponge", "soap", "cloth", "lot", "area", "towel", "brush", "knife",
    "tray", "spoon", "dish", "glass", "glasses", "bottle", "can", "tape", "paper", "sheet", "rack", "basket", "block",
    "suit", "shoes", "boots", "pad", "station", "cart", "bin", "desk", "fan", "helmet", "gloves", "trunks", "cabinet",
];

/// Words in -ed or -en that are no participles.
pub const ED_WORDS: WordList =
    &["red", "bed", "shed", "seed", "sled", "weed", "reed", "hundred", "bread", "feed", "speed", "moped", "steed"];
