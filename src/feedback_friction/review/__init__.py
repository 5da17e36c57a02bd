"""People label unsolved trials on a local page; reads run directories, writes labels."""
