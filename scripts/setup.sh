#!/usr/bin/env bash
# Makes .venv with everything that development needs. Quick when nothing changed: the stamp is a
# checksum of what decides the environment, so a second call only compares it.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv
stamp=$venv/.workings-setup
key=$({ cat pyproject.toml constraints.txt scripts/setup.sh; pwd; } | cksum)

if [[ -x $venv/bin/workings && -f $stamp && $(<"$stamp") == "$key" ]] && "$venv/bin/python" -c '' 2>/dev/null; then
    exit 0
fi

find_python() {  # prints the first interpreter that works and is new enough: the one asked for, the usual one, the others
    local candidate
    for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python; do
        if [[ -n $candidate ]] && command -v "$candidate" >/dev/null &&
            "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
        then
            echo "$candidate"
            return
        fi
    done
    echo "setup: no Python 3.11 or newer with venv was found. Install one, or name it: make setup PYTHON=/path/to/python3.12" >&2
    return 1
}

torch=$(grep '^torch==' constraints.txt)
pip=("$venv/bin/python" -m pip --disable-pip-version-check)

if ! "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$(find_python)
    echo "setup: making $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv"
fi
rm -f "$stamp"

# torch goes first and alone, so that nothing else decides which build of it comes.
echo "setup: installing $torch"
"${pip[@]}" install --quiet "$torch" ${TORCH_INDEX:+--index-url "$TORCH_INDEX"}
echo "setup: installing workings and its tools, versions from constraints.txt"
"${pip[@]}" install --quiet --constraint constraints.txt --editable '.[dev,docs]'

"$venv/bin/python" - "${torch#torch==}" <<'PYTHON'
import sys
import torch
wanted, found = sys.argv[1], torch.__version__
if found.split("+")[0] != wanted:
    sys.exit(f"setup: torch is {found}, but constraints.txt asks for {wanted}; another package has replaced it")
print(f"setup: torch is {found}, as pinned")
PYTHON
echo "$key" >"$stamp"
echo "setup: done. Use it with: source $venv/bin/activate"
