//! Tokens as spaCy's English tokenizer cuts them.
//!
//! White space first; then, at each piece's ends, punctuation, and inside it hyphens and the like; known
//! contractions come whole from the exported table. Web addresses and emoticons are left out.

use std::collections::HashMap;

/// A token of the (lower-cased) text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    /// The norm that a contraction gives it ("n't" -> "not").
    pub norm: Option<String>,
    /// Whether white space follows.
    pub space: bool,
}

/// Pieces with tokens of their own: text and norm of each token.
pub type Special = HashMap<String, Vec<(String, Option<String>)>>;

const UNITS: &[&str] = &[
    "km", "m", "dm", "cm", "mm", "nm", "kg", "g", "mg", "t", "lb", "oz", "ft", "yd", "kb", "mb", "gb", "tb", "mph",
    "l", "hz", "%", "m/s", "km/h",
];

fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '–' | '—' | '~')
}

fn is_quote(c: char) -> bool {
    matches!(c, '\'' | '"' | '”' | '“' | '`' | '‘' | '´' | '’' | '‚' | '„' | '»' | '«' | '「' | '」')
}

fn is_punctuation(c: char) -> bool {
    matches!(
        c,
        '…' | ','
            | ':'
            | ';'
            | '!'
            | '?'
            | '¿'
            | '؟'
            | '¡'
            | '('
            | ')'
            | '['
            | ']'
            | '{'
            | '}'
            | '<'
            | '>'
            | '_'
            | '#'
            | '*'
            | '&'
            | '。'
            | '？'
            | '！'
            | '，'
            | '、'
            | '；'
            | '：'
            | '～'
            | '·'
    )
}

fn is_icon(c: char) -> bool {
    // symbols other than letters, digits and the ASCII marks handled one by one
    !c.is_ascii()
        && !c.is_alphanumeric()
        && !is_quote(c)
        && !is_punctuation(c)
        && !is_hyphen(c)
        && !c.is_whitespace()
        && !matches!(
            c,
            '£' | '€' | '¥' | '฿' | '₽' | '§' | '°' | '²' | '³' | '\u{300}'..='\u{36f}' | '\u{200d}' | '\u{fe0f}'
        )
}

fn is_currency(c: char) -> bool {
    matches!(c, '$' | '£' | '€' | '¥' | '฿' | '₽')
}

/// Bytes of the prefix to cut off.
fn prefix(piece: &str) -> usize {
    let dots = piece.len() - piece.trim_start_matches('.').len();
    if dots >= 2 {
        return dots;
    }
    let mut chars = piece.chars();
    let Some(first) = chars.next() else { return 0 };
    let cut = is_punctuation(first)
        || is_quote(first)
        || is_icon(first)
        || is_currency(first)
        || matches!(first, '§' | '%' | '=' | '—' | '–')
        || first == '+' && !chars.next().is_some_and(|next| next.is_ascii_digit());
    match (cut, piece) {
        (true, piece) if piece.starts_with("''") || piece.starts_with("``") => 2,
        (true, _) => first.len_utf8(),
        (false, _) => 0,
    }
}

/// Bytes of the suffix to cut off.
fn suffix(piece: &str) -> usize {
    for ending in ["'s", "’s"] {
        if piece.ends_with(ending) {
            return ending.len();
        }
    }
    let dots = piece.len() - piece.trim_end_matches('.').len();
    if dots >= 2 {
        return dots;
    }
    let mut back = piece.chars().rev();
    let Some(last) = back.next() else { return 0 };
    let before = back.next();
    if last == '.' {
        let ends = before.is_some_and(|c| {
            c.is_ascii_digit()
                || c.is_lowercase()
                || is_quote(c)
                || matches!(c, '%' | '²' | '-' | '+' | ')' | ']' | '?' | '!' | ',' | ';' | ':')
        });
        return usize::from(ends);
    }
    if piece.ends_with("''") {
        return 2;
    }
    if is_punctuation(last) || is_quote(last) || is_icon(last) || matches!(last, '—' | '–') {
        return last.len_utf8();
    }
    let digit_before = |rest: &str| rest.ends_with(|c: char| c.is_ascii_digit());
    if last == '+' || is_currency(last) {
        let rest = &piece[..piece.len() - last.len_utf8()];
        return if digit_before(rest) { last.len_utf8() } else { 0 };
    }
    let unit = UNITS.iter().filter(|unit| piece.strip_suffix(**unit).is_some_and(digit_before));
    unit.map(|unit| unit.len()).max().unwrap_or(0)
}

/// Byte ranges inside the piece that stand as tokens of their own.
fn infixes(piece: &str) -> Vec<(usize, usize)> {
    let chars: Vec<(usize, char)> = piece.char_indices().collect();
    let mut found = Vec::new();
    let mut i = 1;
    while i + 1 < chars.len() {
        let (at, c) = chars[i];
        let (before, after) = (chars[i - 1].1, chars[i + 1].1);
        let joins = before.is_alphabetic() || before.is_ascii_digit();
        let sign =
            before.is_ascii_digit() && (after.is_ascii_digit() || after == '-') && matches!(c, '+' | '-' | '*' | '^');
        let hyphen = is_hyphen(c) && joins && after.is_alphabetic();
        let comma = c == ',' && before.is_alphabetic() && after.is_alphabetic();
        let relation = matches!(c, ':' | '<' | '>' | '=' | '/') && joins && after.is_alphabetic();
        let dots = c == '.' && after == '.';
        if c == '-' && after == '-' && joins {
            let end = (i..chars.len()).find(|j| chars[*j].1 != '-').unwrap_or(chars.len() - 1);
            if chars[end].1.is_alphabetic() {
                found.push((at, chars[end].0));
            }
            i = end;
        } else if dots {
            let end = (i..chars.len()).find(|j| chars[*j].1 != '.').unwrap_or(chars.len() - 1);
            found.push((at, chars[end].0));
            i = end;
        } else if sign || hyphen || comma || relation || is_icon(c) {
            found.push((at, at + c.len_utf8()));
        }
        i += 1;
    }
    found
}

/// Cuts a text whose words stand apart by single spaces.
pub fn tokens(text: &str, special: &Special) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    for piece in text.split_whitespace() {
        cut(piece, special, &mut found);
        if let Some(last) = found.last_mut() {
            last.space = true;
        }
    }
    if let Some(last) = found.last_mut() {
        last.space = false;
    }
    found
}

fn push(found: &mut Vec<Token>, text: &str) {
    if !text.is_empty() {
        found.push(Token { text: text.into(), norm: None, space: false });
    }
}

fn cut(piece: &str, special: &Special, found: &mut Vec<Token>) {
    let mut rest = piece;
    let mut suffixes = Vec::new();
    loop {
        if rest.is_empty() || special.contains_key(rest) {
            break;
        }
        let (front, back) = (prefix(rest), suffix(rest));
        if front > 0 && special.contains_key(&rest[front..]) {
            push(found, &rest[..front]);
            rest = &rest[front..];
        } else if back > 0 && special.contains_key(&rest[..rest.len() - back]) {
            suffixes.push(&rest[rest.len() - back..]);
            rest = &rest[..rest.len() - back];
        } else if front > 0 && back > 0 && front + back <= rest.len() {
            push(found, &rest[..front]);
            suffixes.push(&rest[rest.len() - back..]);
            rest = &rest[front..rest.len() - back];
        } else if front > 0 {
            push(found, &rest[..front]);
            rest = &rest[front..];
        } else if back > 0 {
            suffixes.push(&rest[rest.len() - back..]);
            rest = &rest[..rest.len() - back];
        } else {
            break;
        }
    }
    match special.get(rest) {
        Some(parts) => {
            let part = |(text, norm): &(String, Option<String>)| Token {
                text: text.clone(),
                norm: norm.clone(),
                space: false,
            };
            found.extend(parts.iter().map(part));
        }
        None => {
            let mut start = 0;
            for (from, to) in infixes(rest) {
                push(found, &rest[start..from]);
                push(found, &rest[from..to]);
                start = to;
            }
            push(found, &rest[start..]);
        }
    }
    for suffix in suffixes.into_iter().rev() {
        push(found, suffix);
    }
}
