"""Files that are made beside the pages: asked for, and taken."""
