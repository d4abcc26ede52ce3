#!/bin/sh
# run.sh SECONDS FOLDER: fuzzes every target for so long. What is new goes to FOLDER/TARGET, not into the repository.
set -eu
seconds=$1 out=$2
cd "$(dirname "$0")"
vectors=${FUMIKURA_VECTORS:-../../../shared/vectors}
cargo +nightly fuzz build --fuzz-dir . >/dev/null 2>&1 || cargo +nightly fuzz build --fuzz-dir .
for target in fuzz_targets/*.rs; do
  name=$(basename "$target" .rs)
  mkdir -p "$out/$name" "$out/artifacts" "corpus/$name"
  dictionary=dictionaries/der.dict
  case $name in xml*|*manifest|asic*|policy|line_proof|medium) dictionary=dictionaries/text.dict ;; esac
  set -- "$out/$name" "corpus/$name"
  if [ -d "$vectors" ]; then for folder in "$vectors"/*/*/; do set -- "$@" "$folder"; done; fi
  binary=$(find "${CARGO_TARGET_DIR:-target}" -path "*release/$name" -type f | head -1)
  "$binary" "$@" -max_total_time="$seconds" -max_len=65536 -timeout=20 -rss_limit_mb=1024 -dict="$dictionary" \
    -artifact_prefix="$out/artifacts/$name-" -print_final_stats=1 >"$out/$name.log" 2>&1 || echo "$name: FOUND SOMETHING"
  grep -E "stat::number_of_executed_units|cov:" "$out/$name.log" | tail -2 | tr '\n' ' '
  echo "$name"
done
