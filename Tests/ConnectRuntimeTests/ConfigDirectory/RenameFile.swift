import Glibc

/// Replaces what is there, in one step.
func renameFile(_ old: String, _ new: String) -> Bool { unsafe Glibc.rename(old, new) == 0 }
