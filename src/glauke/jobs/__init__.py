"""One public function per command, in a file for each half: the only room that joins the others.

Nothing is imported here: `glauke.jobs.boxes` works without torch, which `glauke.jobs.training` needs.
"""
