//! Path patterns and the trie that finds the most specific one.
