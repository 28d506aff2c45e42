//! Which topic of one recording of answers is which of another: their names depend on the node's name, the namespace, and whether
//! one camera was replayed or several.

use std::collections::{BTreeMap, BTreeSet};

/// What tells the images of a topic: their stamps, nanoseconds, and coordinate frames; of the first answers.
pub type Images = BTreeSet<(i64, String)>;

/// How many parts two names have in common at their ends, without the last.
fn shared_end(a: &str, b: &str) -> usize {
    let parts = |name: &str| name.split('/').rev().skip(1).map(String::from).collect::<Vec<_>>();
    parts(a).iter().zip(&parts(b)).take_while(|(a, b)| a == b).count()
}

/// The topics of the second recording, each with that of the first that it is compared with: of the same name, or else the one
/// whose images are the same, or, where images do not tell, whose name ends alike; one topic that is left on each side is a pair.
pub fn pairs(first: &BTreeMap<String, Images>, second: &BTreeMap<String, Images>) -> BTreeMap<String, String> {
    let mut paired: BTreeMap<String, String> = BTreeMap::new();
    let mut left: BTreeSet<&String> = first.keys().collect();
    for name in second.keys().filter(|name| first.contains_key(*name)) {
        left.remove(name);
        paired.insert(name.clone(), name.clone());
    }
    let mut open: Vec<&String> = second.keys().filter(|name| !first.contains_key(*name)).collect();
    loop {
        let candidates = open.iter().flat_map(|b| left.iter().map(move |a| (*a, *b)));
        let alike = |(a, b): &(&String, &String)| {
            let images = first[*a].intersection(&second[*b]).count();
            (images, shared_end(a, b))
        };
        let is_last = open.len() == 1 && left.len() == 1;
        let best = candidates.max_by_key(alike).filter(|pair| alike(pair) > (0, 0) || is_last);
        let Some((a, b)) = best else { return paired };
        left.remove(a);
        open.retain(|name| *name != b);
        paired.insert(b.clone(), a.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics(given: &[(&str, &[i64])]) -> BTreeMap<String, Images> {
        let images = |stamps: &[i64]| stamps.iter().map(|stamp| (*stamp, "eye".to_string())).collect();
        given.iter().map(|(name, stamps)| (format!("{name}/segmentation"), images(stamps))).collect()
    }

    fn paired(a: &[(&str, &[i64])], b: &[(&str, &[i64])]) -> Vec<(String, String)> {
        let short = |name: String| name.trim_end_matches("/segmentation").to_string();
        pairs(&topics(a), &topics(b)).into_iter().map(|(b, a)| (short(b), short(a))).collect()
    }

    fn names(given: &[(&str, &str)]) -> Vec<(String, String)> {
        given.iter().map(|(b, a)| (b.to_string(), a.to_string())).collect()
    }

    #[test]
    fn one_topic_on_each_side_is_a_pair_whatever_the_names() {
        assert_eq!(paired(&[("/referseg", &[])], &[("/robot/eye", &[])]), names(&[("/robot/eye", "/referseg")]));
    }

    #[test]
    fn of_several_the_one_with_the_same_images_is_meant() {
        let all: [(&str, &[i64]); 2] = [("/referseg/left/image", &[1, 2, 3]), ("/referseg/right/image", &[1, 7])];
        assert_eq!(paired(&[("/referseg", &[1, 7])], &all), names(&[("/referseg/right/image", "/referseg")]));
        assert_eq!(paired(&all, &[("/referseg", &[2, 3])]), names(&[("/referseg", "/referseg/left/image")]));
    }

    #[test]
    fn names_that_end_alike_decide_where_images_do_not() {
        let a: [(&str, &[i64]); 2] = [("/referseg/left", &[1]), ("/referseg/right", &[1])];
        let b: [(&str, &[i64]); 2] = [("/robot/right", &[1]), ("/robot/left", &[1])];
        assert_eq!(paired(&a, &b), names(&[("/robot/left", "/referseg/left"), ("/robot/right", "/referseg/right")]));
        assert_eq!(paired(&[("/a", &[1])], &[("/a", &[2]), ("/b", &[1])]), names(&[("/a", "/a")]), "equal names first");
    }
}
