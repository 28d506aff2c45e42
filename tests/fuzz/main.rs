//! Fuzzing of everything that reads bytes from outside: real inputs, varied at random. No panic, and no allocation beyond a bound.
//!
//! The test suite tries a few thousand inputs, the same each time. `scripts/fuzz.sh` tries as many as it is told
//! (`REFERSEG_FUZZ_INPUTS`, from `REFERSEG_FUZZ_SEED` on). An input that fails is kept in `target/fuzz/`.

mod targets;

use mutatis::Session;
use std::cell::RefCell;
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::Once;
use targets::{by_name, Target};

/// Inputs of the quickest target when nothing else is asked for.
const INPUTS: u64 = 4000;

/// Numbers at which readers of lengths and counts go wrong.
const NUMBERS: [u32; 8] = [0, 1, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}; expected a number")))
}

/// Numbers from a seed, as splitmix64 gives them.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound.max(1) as u64) as usize
    }
}

/// A real input with a few changes.
fn varied(seeds: &[Vec<u8>], random: &mut Random, session: &mut Session) -> Vec<u8> {
    let mut bytes = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(6) {
        let at = random.below(bytes.len());
        match random.below(6) {
            0 if bytes.len() >= 4 => {
                let at = at.min(bytes.len() - 4);
                let number = NUMBERS[random.below(NUMBERS.len())];
                let number = if random.below(2) == 0 { number.to_le_bytes() } else { number.to_be_bytes() };
                bytes[at..at + 4].copy_from_slice(&number);
            }
            1 => bytes.truncate(at),
            2 => {
                // a piece of another
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len());
                let piece = &other[from..(from + random.below(64)).min(other.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
            3 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            _ if bytes.len() < 4096 => {
                let _ = session.mutate(&mut bytes);
            }
            _ if !bytes.is_empty() => bytes[at] = random.below(256) as u8,
            _ => {}
        }
    }
    bytes
}

thread_local!(static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) });

/// Panics of the libraries below are caught where they are called, so they are noted and not printed.
fn note_panics() {
    static NOTED: Once = Once::new();
    NOTED.call_once(|| {
        // errors with the places of their calls read the program's symbols, more bytes than any input may take
        std::env::set_var("RUST_LIB_BACKTRACE", "0");
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            LAST_PANIC.with_borrow_mut(|last| *last = panic.to_string());
            if panic.location().is_some_and(|place| place.file().ends_with("fuzz/main.rs")) {
                print(panic);
            }
        }));
    });
}

fn fuzz(name: &str) {
    note_panics();
    let target: &Target = by_name(name);
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty());
    let inputs = (setting("REFERSEG_FUZZ_INPUTS").unwrap_or(INPUTS) / target.cost).max(50);
    let seed = setting("REFERSEG_FUZZ_SEED").unwrap_or(1);
    let (mut random, mut session) = (Random(seed), Session::new().seed(seed));
    let mut largest = 0;
    for number in 0..inputs + seeds.len() as u64 {
        let input = match seeds.get(number as usize) {
            Some(seed) => seed.clone(),
            None => varied(&seeds, &mut random, &mut session),
        };
        let mut ended = Ok(());
        let held = allocation_counter::measure(|| ended = catch_unwind(|| (target.run)(&input))).bytes_max;
        largest = largest.max(held);
        if ended.is_err() || held > target.bound {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fuzz");
            std::fs::create_dir_all(&folder).unwrap();
            let path = folder.join(format!("{name}-{seed}-{number}"));
            std::fs::write(&path, &input).unwrap();
            let why = match ended {
                Ok(()) => format!("holds {held} bytes, more than {}", target.bound),
                Err(_) => LAST_PANIC.with_borrow(|last| last.clone()),
            };
            panic!("{name}: input {number}, kept in {path:?}: {why}");
        }
    }
    println!("{name}: {inputs} inputs from seed {seed}, at most {:.1} MB held", largest as f64 / 1e6);
}

/// Writes the real inputs of each target where scripts/fuzz.sh --coverage asks for them (`REFERSEG_FUZZ_SEEDS`).
#[test]
fn seeds_are_written() {
    let Ok(folder) = std::env::var("REFERSEG_FUZZ_SEEDS") else { return };
    let name = Path::new(&folder).file_name().unwrap().to_str().unwrap();
    for (number, seed) in (by_name(name).seeds)().iter().enumerate() {
        std::fs::write(Path::new(&folder).join(format!("seed-{number}")), seed).unwrap();
    }
}

macro_rules! fuzzed {
    ($($name:ident),*) => {$(
        #[test]
        fn $name() {
            fuzz(stringify!($name));
        }
    )*

        #[test]
        fn every_target_is_run() {
            let run = [$(stringify!($name)),*];
            assert_eq!(run.map(String::from), targets::TARGETS.map(|target| target.name.to_string()));
        }
    };
}

fuzzed!(
    cdr, mcap, sqlite, ros1, serialization, metadata, picture, labels, weights, config, timetable, command, tokenizer,
    refs, parquet
);
