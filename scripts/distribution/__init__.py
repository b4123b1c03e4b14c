"""The files of a release: wheel, source, bill of materials, provenance. `scripts/release` makes them; it uploads nothing."""
