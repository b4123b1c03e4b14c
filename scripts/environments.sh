# Sourced by scripts that make an environment.

find_python() { # prints the first Python that is new enough
  local candidate
  for candidate in ${PAYMAN_PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "$0: Python 3.11 or newer is needed, and PATH has none." >&2
  echo "Install one, or name it: PAYMAN_PYTHON=/path/to/python3.12 $0" >&2
  exit 2
}

install_lock() { # into an environment, what a lock holds: by uv, and where that reaches no index by pip, whose settings may lead to one
  local options=(--quiet --require-hashes --no-deps --only-binary :all: -r "$2")
  .venv/bin/uv pip install --python "$1" "${options[@]}" ||
    .venv/bin/python -m pip --python "$1" install --no-compile "${options[@]}"
}

make_environment() { # in a folder, with what a lock holds, unless it is there already
  local wanted
  wanted=$({ .venv/bin/python --version; cat "$2"; } | cksum)
  [ "$(cat "$1/made-from" 2>/dev/null)" != "$wanted" ] || return 0
  .venv/bin/python -m venv --clear --without-pip "$1" && link_programs "$1" && install_lock "$1" "$2" && echo "$wanted" > "$1/made-from"
}

link_programs() { # of an environment: Windows has them in Scripts, and the scripts look in bin
  [ -e "$1/bin" ] || cmd //c mklink //J "$1\\bin" "$1\\Scripts" >/dev/null
}
