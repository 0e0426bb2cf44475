"""Where pictures come from: archives, folders and the files of well-known data sets."""
