"""The page of a project, part by part."""
