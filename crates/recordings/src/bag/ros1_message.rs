//! `Ros1Definition`: a ROS 1 message type as recordings carry it, and the way of its messages to CDR.
//!
//! ROS 1 writes fields one after the other without padding, texts without a final NUL, and a `seq` at the head of each header
//! (wiki.ros.org/msg); CDR aligns each number to its own size. Whatever the type, the fields are the same and in the same order,
//! so the definition is all that is needed.

/// How deep types may lie in each other.
const DEEPEST: usize = 16;
/// Longest definition, bytes; those of robots have a few kilobytes.
const LONGEST: usize = 256 << 10;
/// Types in a definition at most.
const MOST_TYPES: usize = 1000;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A number of so many bytes.
    Number(usize),
    Text,
    /// Seconds and nanoseconds.
    Time,
    /// Another type, by its place.
    Of(usize),
}

/// How many a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    One,
    Fixed(usize),
    /// As many as are written before them.
    Many,
}

#[derive(Clone, Copy, Debug)]
struct Field {
    kind: Kind,
    count: Count,
    /// A header's sequence number: ROS 2 has none.
    is_left_out: bool,
}

/// A message type.
#[derive(Debug)]
pub struct Ros1Definition {
    /// The fields of each type; the first is the message's.
    types: Vec<Vec<Field>>,
}

/// Bytes that are read from the front.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or("shorter than its definition says")?;
        self.0 = rest;
        Ok(taken)
    }

    fn length(&mut self) -> Result<usize, String> {
        let bytes = self.take(4)?;
        Ok(bytes.iter().rev().fold(0, |length, byte| length << 8 | usize::from(*byte)))
    }
}

/// CDR that is being written, little endian.
struct Output(Vec<u8>);

impl Output {
    /// Pads to a multiple of `size` after the encapsulation header.
    fn align(&mut self, size: usize) {
        let length = (self.0.len() - 4).next_multiple_of(size) + 4;
        self.0.resize(length, 0);
    }

    fn number(&mut self, bytes: &[u8]) {
        self.align(bytes.len());
        self.0.extend(bytes);
    }
}

fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "bool" | "int8" | "uint8" | "byte" | "char" => Kind::Number(1),
        "int16" | "uint16" => Kind::Number(2),
        "int32" | "uint32" | "float32" => Kind::Number(4),
        "int64" | "uint64" | "float64" => Kind::Number(8),
        "string" => Kind::Text,
        "time" | "duration" => Kind::Time,
        _ => return None,
    })
}

impl Ros1Definition {
    /// Reads the definition of a type, `package/Name`: the message's fields and, each after a line of `=` and `MSG: package/Name`, those
    /// of the types in it. A type that is named without its package is of the package of the type that it stands in
    /// (wiki.ros.org/msg, 2.1.1), else the first of that name.
    ///
    /// # Errors
    /// In words, when a type is not defined or a line is none.
    pub fn parse(of: &str, text: &str) -> Result<Ros1Definition, String> {
        if text.len() > LONGEST {
            return Err(format!("{} bytes; expected at most {LONGEST}", text.len()));
        }
        let mut sections = vec![(of.to_string(), Vec::new())];
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.starts_with("====") {
                sections.push((String::new(), Vec::new()));
            } else if let (Some(name), Some((section, _))) = (line.strip_prefix("MSG:"), sections.last_mut()) {
                *section = name.trim().into();
            } else if let (false, Some((_, lines))) = (line.is_empty(), sections.last_mut()) {
                lines.push(line);
            }
        }
        if sections.len() > MOST_TYPES {
            return Err(format!("{} types; expected at most {MOST_TYPES}", sections.len()));
        }
        let position = |wanted: &dyn Fn(&str) -> bool| sections.iter().position(|(name, _)| wanted(name));
        let place = |within: &str, name: &str| {
            let package = within.split_once('/').map_or("", |(package, _)| package);
            let full = position(&|other| other == name);
            let beside = || position(&|other| other.split_once('/') == Some((package, name)));
            let anywhere = || position(&|other| other.rsplit_once('/').is_some_and(|(_, last)| last == name));
            full.or_else(beside).or_else(anywhere)
        };
        let mut types = Vec::new();
        for (section, lines) in &sections {
            let mut fields = Vec::new();
            for line in lines {
                let (written, name) = line.split_once(char::is_whitespace).ok_or(format!("{line:?} is no field"))?;
                if name.contains('=') {
                    continue; // a constant
                }
                let (element, count) = match written.split_once('[') {
                    None => (written, Count::One),
                    Some((element, "]")) => (element, Count::Many),
                    Some((element, length)) => {
                        let length = length.trim_end_matches(']').parse();
                        (element, Count::Fixed(length.map_err(|_| format!("{line:?} has no length"))?))
                    }
                };
                let known = kind(element).or_else(|| place(section, element).map(Kind::Of));
                let kind = known.ok_or(format!("type {element:?} is not defined"))?;
                let is_left_out = section == "std_msgs/Header" && name.trim() == "seq";
                fields.push(Field { kind, count, is_left_out });
            }
            types.push(fields);
        }
        Ok(Ros1Definition { types })
    }

    /// A message as CDR.
    ///
    /// # Errors
    /// In words, when the bytes are not of this type.
    pub fn cdr(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let (mut input, mut output) = (Input(bytes), Output(vec![0, 1, 0, 0]));
        // what holds nothing costs time and no bytes
        let mut steps = bytes.len().saturating_add(10_000);
        self.write(0, 0, &mut steps, &mut input, &mut output)?;
        match input.0.len() {
            0 => Ok(output.0),
            left => Err(format!("{left} bytes longer than its definition says")),
        }
    }

    fn write(
        &self,
        of: usize,
        depth: usize,
        steps: &mut usize,
        input: &mut Input,
        output: &mut Output,
    ) -> Result<(), String> {
        if depth > DEEPEST {
            return Err(format!("its types lie more than {DEEPEST} deep in each other"));
        }
        for field in &self.types[of] {
            let count = match field.count {
                Count::One => 1,
                Count::Fixed(count) => count,
                Count::Many => {
                    let count = input.length()?;
                    output.number(&(count as u32).to_le_bytes());
                    count
                }
            };
            match field.kind {
                Kind::Number(size) if count > 0 => {
                    let bytes = input.take(count.checked_mul(size).ok_or("longer than memory")?)?;
                    if !field.is_left_out {
                        output.align(size);
                        output.0.extend(bytes);
                    }
                }
                Kind::Number(_) => {}
                other => {
                    for _ in 0..count {
                        *steps = steps.checked_sub(1).ok_or("of more parts than its bytes can hold")?;
                        match other {
                            Kind::Text => {
                                let length = input.length()?;
                                let text = input.take(length)?;
                                output.number(&(length as u32).saturating_add(1).to_le_bytes());
                                output.0.extend(text);
                                output.0.push(0);
                            }
                            Kind::Time => {
                                output.number(input.take(4)?);
                                output.number(input.take(4)?);
                            }
                            Kind::Of(part) => self.write(part, depth + 1, steps, input, output)?,
                            Kind::Number(_) => {}
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{from_cdr, Header, Image, Text, Time};

    const IMAGE: &str =
        "# a picture\nHeader header\nuint32 height # rows\nuint32 width\nstring encoding\nuint8 is_bigendian\n\
         uint32 step\nuint8[] data\n====\nMSG: std_msgs/Header\nuint32 seq\ntime stamp\nstring frame_id\n";

    #[test]
    fn an_image_of_ros_1_is_ros_2s_without_the_sequence_number() {
        let text = |text: &str| [&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
        let numbers = |numbers: &[u32]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
        let bytes = [
            numbers(&[77, 5, 6]),
            text("eye"),
            numbers(&[1, 2]),
            text("rgb8"),
            vec![0],
            numbers(&[6]),
            numbers(&[6]),
            vec![1, 2, 3, 4, 5, 6],
        ]
        .concat();
        let definition = Ros1Definition::parse("sensor_msgs/Image", IMAGE).unwrap();
        let cdr = definition.cdr(&bytes).unwrap();
        let image: Image = from_cdr(&cdr).unwrap();
        assert_eq!(image.header, Header { stamp: Time { sec: 5, nanosec: 6 }, frame_id: "eye".into() });
        assert_eq!((image.width, image.encoding.as_str(), image.step), (2, "rgb8", 6));
        assert_eq!(&*image.data, [1, 2, 3, 4, 5, 6]);
        for cut in 0..bytes.len() {
            assert!(definition.cdr(&bytes[..cut]).is_err(), "{cut} bytes");
        }
        assert!(definition.cdr(&[&bytes[..], b"x"].concat()).unwrap_err().contains("1 bytes longer"));
        let said: Text =
            from_cdr(&Ros1Definition::parse("std_msgs/String", "string data").unwrap().cdr(&text("the mug")).unwrap())
                .map_err(|e| e.to_string())
                .unwrap();
        assert_eq!(said.data, "the mug");
    }

    #[test]
    fn numbers_are_aligned_and_constants_hold_nothing() {
        let text = "uint8 FIRST=1\nuint8 a\nfloat64[2] b\nP[] c\n===\n====\nMSG: x/P\nuint8 d\nint16 e\n";
        let definition = Ros1Definition::parse("x/M", text);
        assert!(definition.unwrap_err().contains("is no field"), "three signs are no line between types");
        let definition = Ros1Definition::parse("x/M", &text.replacen("===\n====", "====", 1)).unwrap();
        let bytes = [&[9][..], &[1; 8], &[2; 8], &[2, 0, 0, 0], &[3, 4, 5], &[6, 7, 8]].concat();
        let expected = [
            &[0, 1, 0, 0][..],
            &[9, 0, 0, 0, 0, 0, 0, 0],
            &[1; 8],
            &[2; 8],
            &[2, 0, 0, 0],
            &[3, 0, 4, 5],
            &[6, 0, 7, 8],
        ];
        assert_eq!(definition.cdr(&bytes).unwrap(), expected.concat());
    }

    #[test]
    fn a_short_name_is_of_the_package_that_it_stands_in() {
        let text =
            "Path[] paths\nother/Path one\n====\nMSG: other/Path\nuint8 a\nuint8 b\n====\nMSG: x/Path\nuint8 c\n";
        let definition = Ros1Definition::parse("x/Paths", text).unwrap();
        let cdr = definition.cdr(&[2, 0, 0, 0, 7, 8, 9, 10]).unwrap();
        assert_eq!(cdr, [0, 1, 0, 0, 2, 0, 0, 0, 7, 8, 9, 10]);
        assert!(definition.cdr(&[2, 0, 0, 0, 7, 8, 9]).is_err());
    }

    #[test]
    fn types_that_are_not_defined_or_never_end_are_errors() {
        assert!(Ros1Definition::parse("x/M", "Pose pose").unwrap_err().contains("\"Pose\" is not defined"));
        assert!(Ros1Definition::parse("x/M", "uint8[x] a").unwrap_err().contains("no length"));
        let circle = Ros1Definition::parse("x/M", "x/A a\n====\nMSG: x/A\nx/A a").unwrap();
        assert!(circle.cdr(&[]).unwrap_err().contains("deep"));
        let nothing = Ros1Definition::parse("x/M", "x/A[] a\n====\nMSG: x/A\n").unwrap();
        assert!(nothing.cdr(&[255; 4]).unwrap_err().contains("more parts"));
    }
}
