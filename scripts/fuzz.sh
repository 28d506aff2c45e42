#!/usr/bin/env bash
# fuzz.sh [--inputs N] [--seed S] [--coverage SECONDS] [TARGET...]: tries N inputs of the quickest target (slower ones fewer, see
# `cost` in tests/fuzz/targets.rs) of every target or those named, and prints how many were tried.
#
# --coverage runs the same targets under libFuzzer for SECONDS each instead; needs cargo-fuzz (`cargo install cargo-fuzz`) and
# clang. A nightly compiler is not needed: coverage is LLVM's own, and the address sanitizer is left out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
inputs=100000 seed=1 coverage="" targets=()
while [ $# -gt 0 ]; do
    case $1 in
        --inputs) inputs=$2; shift 2 ;;
        --seed) seed=$2; shift 2 ;;
        --coverage) coverage=$2; shift 2 ;;
        -h | --help) sed -n '2,7p' "$0"; exit ;;
        -*) echo "fuzz.sh: unknown option $1; expected --inputs, --seed or --coverage" >&2; exit 2 ;;
        *) targets+=("$1"); shift ;;
    esac
done
if [ -n "$coverage" ]; then
    [ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo fuzz list --fuzz-dir tests/fuzz/cargo_fuzz)
    for target in "${targets[@]}"; do
        echo "=== $target"
        seeds=target/fuzz/seeds/$target corpus=target/fuzz/corpus/$target
        mkdir -p "$corpus" "$seeds"
        REFERSEG_FUZZ_SEEDS=$seeds cargo test --release --locked --test fuzz -- --exact seeds_are_written > /dev/null
        cargo fuzz run --fuzz-dir tests/fuzz/cargo_fuzz --sanitizer none --target-dir target/cargo_fuzz "$target" \
            "$corpus" "$seeds" -- -max_total_time="$coverage" -rss_limit_mb=4096 -malloc_limit_mb=1400 -print_final_stats=1 2>&1 |
            grep -E "stat::|SUMMARY|panicked|cov:.*DONE|ERROR"
    done
    exit
fi
REFERSEG_FUZZ_INPUTS=$inputs REFERSEG_FUZZ_SEED=$seed RUST_BACKTRACE=0 \
    cargo test --release --locked --test fuzz -- --nocapture "${targets[@]}" 2> target/fuzz.err | tee target/fuzz.log | grep -a -E " inputs from seed |: input |^test result"
grep -aoE '[0-9]+ inputs from seed' target/fuzz.log | awk '{ sum += $1 } END { print "in all " sum " inputs" }'
