//! Forms of words: singulars of nouns, superlatives of adjectives.

use super::lexicon::{is, WordList};

/// A noun's singular, by its ending.
pub fn singular(word: &str) -> String {
    const ALIKE: &[&str] = &[
        "glass", "scissors", "glasses", "sunglasses", "pants", "jeans", "shorts", "headphones", "tongs", "pliers",
        "bus", "cactus", "dress", "chess", "grass", "brass", "mess", "compass", "mattress", "canvas", "lens", "series",
        "us", "gas", "virus", "octopus", "walrus", "asparagus", "hummus", "apparatus", "business", "princess",
        "goggles", "binoculars", "tweezers", "towards", "controls", "keys", "harness", "cross", "boss", "class",
        "press", "process",
    ];
    const ODD: &[(&str, &str)] = &[
        ("people", "person"),
        ("men", "man"),
        ("women", "woman"),
        ("children", "child"),
        ("feet", "foot"),
        ("knives", "knife"),
        ("shelves", "shelf"),
        ("loaves", "loaf"),
        ("leaves", "leaf"),
        ("mice", "mouse"),
        ("teeth", "tooth"),
        ("wolves", "wolf"),
        ("scarves", "scarf"),
        ("potatoes", "potato"),
        ("tomatoes", "tomato"),
        ("geese", "goose"),
    ];
    if is(ALIKE, word) || word.len() < 4 {
        return word.to_string();
    }
    if let Some((_, one)) = ODD.iter().find(|(many, _)| *many == word) {
        return (*one).to_string();
    }
    if let Some(stem) =
        word.strip_suffix("ies").filter(|stem| stem.len() > 2 && !is(&["cook", "smooth", "brown", "mov"], stem))
    {
        return format!("{stem}y");
    }
    for ending in ["ches", "shes", "sses", "xes", "zes"] {
        if word.ends_with(ending) {
            return word[..word.len() - 2].to_string();
        }
    }
    match word.strip_suffix('s') {
        Some(stem) if !stem.ends_with('s') && !stem.ends_with('u') && !stem.ends_with('i') => stem.to_string(),
        _ => word.to_string(),
    }
}

/// Words in -est that compare; "chest" and "forest" do not.
pub fn is_superlative(word: &str) -> bool {
    const NOUNS: WordList =
        &["forest", "chest", "guest", "harvest", "interest", "contest", "request", "priest", "crest", "quest"];
    word.len() > 5 && word.ends_with("est") && !is(NOUNS, word)
}
