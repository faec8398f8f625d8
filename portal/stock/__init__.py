"""The central stock: what lies on which shelf, what is promised, and every movement that made it so."""
