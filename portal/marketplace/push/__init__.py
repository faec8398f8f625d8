"""What we tell storefronts about our stock: listings, pushes, batches, and what became of each barcode."""
