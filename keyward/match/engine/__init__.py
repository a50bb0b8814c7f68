"""One pass over the bytes with every rule: Hyperscan, or the portable engine where there is no wheel for it."""
