"""What storefronts sell out of our stock."""
