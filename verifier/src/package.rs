//! Judges containers (EN 319 162-1): the archive's own evidence packages, and foreign ASiC containers with evidence.
