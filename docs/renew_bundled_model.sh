#!/usr/bin/env bash
# Make all that belongs to a new bundled model: the files beside it, figures and pictures.
# Usage: docs/renew_bundled_model.sh FOLDER
# FOLDER is that of examples/train_bundled_model.py when it has finished. Takes about an hour on
# two processor cores. Afterwards, put the tables that it prints into the pages, and run the tests.
set -euo pipefail
folder=$(realpath "$1")
bank=$folder/bank work=$folder/renewal
cd "$(dirname "$0")/.."
bundled=src/cowgan/bundled
export PYTHONPATH=$PWD/src:$PWD PATH=$PWD/.venv/bin:$PATH
mkdir -p "$work"
cp "$folder/model.safetensors" "$folder/directions.safetensors" $bundled/

cowgan generate --seeds 0-11 --psi 0.8 --out "$work/volumes" --overwrite
cowgan segment predict "$work/volumes" --model territories --out "$work/maps" --overwrite
cowgan label-generator --annotated "$work/volumes" --labels "$work/maps" --scheme territories --overwrite
cowgan fit-encoder --samples 1000 --overwrite
python docs/encode_anatomies.py "$bank"
python docs/measure_directions.py
python docs/measure_anatomies.py "$bank"
cowgan attributes --out $bundled/attributes.json --overwrite
python docs/bundle_attribute_samples.py

# The report names what it compared as it was asked for.
report=$PWD/docs/evaluation_of_bundled_model
(cd "$folder" && cowgan evaluate --real bank --generated model.safetensors --extractor efficientnet \
    --extractor coarse-vessels --out "$report" --overwrite)
rm "$report/report.html"
python docs/draw_training.py "$folder"
.ci/headless.sh python docs/draw_model.py $bundled/model.safetensors
python docs/quote_evaluation.py "$report"
python docs/compare_truncations.py "$bank"
python docs/quote_attributes.py
python docs/measure_steering.py
python docs/measure_steering.py --new --seeds 10
python docs/compare_label_heads.py
python docs/project_heldout.py "$bank" "$work/projections"
