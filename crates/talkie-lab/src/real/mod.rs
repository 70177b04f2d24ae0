//! The NATs as boxes between network namespaces (Linux, root): real programs behind a type of choice.
