"""Reading schema text: tokens, a backtracking engine that keeps the deepest fault, and the grammar in its terms."""
