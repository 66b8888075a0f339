"""Why an archive is refused as a whole, and what is said of the list of transcripts in it."""

from audio.findings.templates import SEND_AGAIN, look, refused

PACK_AGAIN = "Pack the files again, with what your system has for it: a .zip or a .tar.gz."
PACK_CLIPS = "Pack only the recordings themselves, and metadata.csv if there is one."
RENAME = "Rename it, with letters, digits, spaces, - and _, then pack the files again."
MEND_LIST = "Correct metadata.csv: one line for each recording, as name|text, in UTF-8."

WHOLE = {
    "not_an_archive": refused("This is no ZIP archive and no tar archive.", PACK_AGAIN),
    "archive_not_tar": refused("It is compressed by gzip, but holds no tar archive.", PACK_AGAIN),
    "archive_nested": refused("What gzip has compressed in it is an archive of another kind.", PACK_AGAIN),
    "archive_empty": refused("There is no file in it.", PACK_CLIPS),
    "archive_truncated": refused("The archive is cut off: its end is missing.", SEND_AGAIN),
    "archive_damaged": refused("The archive is damaged ({what}).", SEND_AGAIN),
    "archive_prefix": refused("There are bytes before the beginning of the archive.", PACK_AGAIN),
    "archive_trailing": refused("There are bytes after the end of the archive.", PACK_AGAIN),
    "archive_hidden": refused("There are bytes in the archive that belong to none of its files.", PACK_AGAIN),
    "archive_comment": refused("The archive carries a comment.", PACK_AGAIN),
    "archive_polyglot": refused("It is two kinds of archive in one.", PACK_AGAIN),
    "archive_split": refused("It is one part of a divided archive.", "Pack the files into one archive."),
    "archive_zip64": refused("It is a ZIP of the kind for more than 4 GB.", PACK_AGAIN),
    "archive_disagrees": refused("The archive contradicts itself about {name}.", PACK_AGAIN),
    "archive_overlap": refused("Files in it share the same bytes.", PACK_AGAIN),
    "archive_bomb": refused("It unpacks to far more than recordings do.", PACK_CLIPS),
    "archive_too_many": refused("There are more than {limit:,} files in it.", "Divide it into several archives."),
    "archive_too_big": refused("It unpacks to more than {limit} MB.", "Divide it into several archives."),
}

MEMBER = {
    "member_too_big": refused("The file {name} is longer than {limit} MB.", "Cut it into clips first."),
    "member_encrypted": refused("The file {name} is encrypted.", "Pack the files again, without a password."),
    "member_compression": refused("The file {name} is compressed in an unusual way.", PACK_AGAIN),
    "member_checksum": refused("The checksum of {name} is wrong.", SEND_AGAIN),
    "member_nested": refused(
        "The file {name} is an archive inside of the archive.", "Unpack it, then pack all files together."
    ),
    "member_symlink": refused("The file {name} is a link to another file.", "Pack the files themselves."),
    "member_hardlink": refused("The file {name} stands for another file of the archive.", "Pack the files themselves."),
    "member_device": refused("The file {name} is a device, not a file.", PACK_CLIPS),
    "member_fifo": refused("The file {name} is a pipe or a socket, not a file.", PACK_CLIPS),
    "member_sparse": refused("The file {name} is stored with holes.", PACK_AGAIN),
    "member_unusual": refused("The file {name} is stored in an unusual way.", PACK_AGAIN),
    "member_note_long": refused("A note about a file in it is longer than any name.", PACK_AGAIN),
}

NAMES = {
    "name_empty": refused("A file in it has no name.", PACK_AGAIN),
    "name_absolute": refused("The file {name} names a place outside of the archive.", PACK_AGAIN),
    "name_drive": refused("The file {name} names a place outside of the archive.", PACK_AGAIN),
    "name_escapes": refused("The name {name} leads out of the archive.", PACK_AGAIN),
    "name_backslash": refused("The file {name} has a backslash in its name.", RENAME),
    "name_control": refused("The file {name} has characters in its name that cannot be seen.", RENAME),
    "name_strange": refused("The name {name} is a strange one for a file.", RENAME),
    "name_not_text": refused("The name {name} is not written in UTF-8.", RENAME),
    "name_too_long": refused("The name {name} is too long.", RENAME),
    "name_too_deep": refused(
        "The file {name} lies in folders within folders.", "Put the files into one folder, and pack that."
    ),
    "name_twice": refused("There are two files called {name}.", RENAME),
    "names_collide": refused("The file {name} is called almost like another file.", RENAME),
}

LIST = {
    "metadata_long": refused("The list metadata.csv is longer than {limit} MB.", MEND_LIST),
    "metadata_not_utf8": refused("The list metadata.csv is not written in UTF-8.", "Save it again as “CSV UTF-8”."),
    "metadata_control": refused("Line {line} of metadata.csv has characters that cannot be seen.", MEND_LIST),
    "metadata_columns": refused("Line {line} of metadata.csv is not of the form name|text.", MEND_LIST),
    "metadata_no_text": refused("Line {line} of metadata.csv has no text.", MEND_LIST),
    "metadata_text_long": refused("Line {line} of metadata.csv is longer than {limit:,} characters.", MEND_LIST),
    "metadata_unknown": refused("Line {line} of metadata.csv is about {name}, which is not in the archive.", MEND_LIST),
    "metadata_ambiguous": refused("Line {line} of metadata.csv fits several files: {name}.", MEND_LIST),
    "metadata_twice": refused("Line {line} of metadata.csv is about {name} a second time.", MEND_LIST),
    "metadata_missing": look("Without a line in metadata.csv: {count:,} of its files, such as {name}.", MEND_LIST),
}

CODES = {**WHOLE, **MEMBER, **NAMES, **LIST}
