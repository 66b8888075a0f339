"""Findings about a rejected archive and its list of transcripts."""

from audio.findings.templates import SEND_AGAIN, make_error, make_warning

PACK_AGAIN = "Pack the files again as a .zip or .tar.gz with the standard tool of your system."
PACK_CLIPS = "Pack only the recordings, and metadata.csv if there is one."
RENAME = "Rename it, with letters, digits, spaces, - and _, then pack the files again."
FIX_LIST = "Correct metadata.csv: one line for each recording, as name|text, in UTF-8."

ARCHIVE_ERRORS = {
    "not_an_archive": make_error("The file is not a ZIP or tar archive.", PACK_AGAIN),
    "archive_not_tar": make_error("The gzip file contains no tar archive.", PACK_AGAIN),
    "archive_nested": make_error("The gzip file contains another kind of archive.", PACK_AGAIN),
    "archive_empty": make_error("The archive is empty.", PACK_CLIPS),
    "archive_truncated": make_error("The archive is cut off: its end is missing.", SEND_AGAIN),
    "archive_damaged": make_error("The archive is damaged ({what}).", SEND_AGAIN),
    "archive_prefix": make_error("There are bytes before the beginning of the archive.", PACK_AGAIN),
    "archive_trailing": make_error("There are bytes after the end of the archive.", PACK_AGAIN),
    "archive_hidden": make_error("There are bytes in the archive that belong to none of its files.", PACK_AGAIN),
    "archive_comment": make_error("The archive has a comment.", PACK_AGAIN),
    "archive_polyglot": make_error("The file is two kinds of archive in one.", PACK_AGAIN),
    "archive_split": make_error("The file is one part of a split archive.", "Pack the files into one archive."),
    "archive_zip64": make_error("The file is a ZIP64 archive (the format for more than 4 GB).", PACK_AGAIN),
    "archive_disagrees": make_error("The archive contradicts itself about {name}.", PACK_AGAIN),
    "archive_overlap": make_error("Some files in the archive share the same bytes.", PACK_AGAIN),
    "archive_bomb": make_error("The archive unpacks to far more data than recordings need.", PACK_CLIPS),
    "archive_too_many": make_error(
        "There are more than {limit:,} files in the archive.", "Split it into several archives."
    ),
    "archive_too_big": make_error("The archive unpacks to more than {limit} MB.", "Split it into several archives."),
}

MEMBER_ERRORS = {
    "member_too_big": make_error("The file {name} is longer than {limit} MB.", "Split it into clips first."),
    "member_encrypted": make_error("The file {name} is encrypted.", "Pack the files again, without a password."),
    "member_compression": make_error("The file {name} is compressed in an unusual way.", PACK_AGAIN),
    "member_checksum": make_error("The checksum of {name} is wrong.", SEND_AGAIN),
    "member_nested": make_error(
        "The file {name} is an archive inside the archive.", "Unpack it, then pack all files together."
    ),
    "member_symlink": make_error("The file {name} is a link to another file.", "Pack the files themselves."),
    "member_hardlink": make_error(
        "The file {name} is a hard link to another file of the archive.", "Pack the files themselves."
    ),
    "member_device": make_error("The file {name} is a device, not a file.", PACK_CLIPS),
    "member_fifo": make_error("The file {name} is a pipe or a socket, not a file.", PACK_CLIPS),
    "member_sparse": make_error("The file {name} is stored with gaps (a sparse file).", PACK_AGAIN),
    "member_unusual": make_error("The file {name} is stored in an unusual way.", PACK_AGAIN),
    "member_note_long": make_error("The archive contains a file name or a header that is too long.", PACK_AGAIN),
}

NAME_ERRORS = {
    "name_empty": make_error("A file in the archive has no name.", PACK_AGAIN),
    "name_absolute": make_error("The path {name} points outside the archive.", PACK_AGAIN),
    "name_drive": make_error("The path {name} points outside the archive.", PACK_AGAIN),
    "name_escapes": make_error("The path {name} points outside the archive.", PACK_AGAIN),
    "name_backslash": make_error("The file {name} has a backslash in its name.", RENAME),
    "name_control": make_error("The name of the file {name} contains invisible characters.", RENAME),
    "name_strange": make_error("The file name {name} is not allowed.", RENAME),
    "name_not_text": make_error("The name {name} is not encoded as UTF-8.", RENAME),
    "name_too_long": make_error("The name {name} is too long.", RENAME),
    "name_too_deep": make_error(
        "The file {name} is in nested folders.", "Put the files into one folder, and pack that."
    ),
    "name_twice": make_error("There are two files called {name}.", RENAME),
    "names_collide": make_error("The name {name} is almost the same as that of another file.", RENAME),
}

METADATA_FINDINGS = {
    "metadata_long": make_error("The file metadata.csv is longer than {limit} MB.", FIX_LIST),
    "metadata_not_utf8": make_error("The file metadata.csv is not encoded as UTF-8.", "Save it again as “CSV UTF-8”."),
    "metadata_control": make_error("Line {line} of metadata.csv contains invisible characters.", FIX_LIST),
    "metadata_columns": make_error("Line {line} of metadata.csv does not have the form name|text.", FIX_LIST),
    "metadata_no_text": make_error("Line {line} of metadata.csv has no text.", FIX_LIST),
    "metadata_text_long": make_error("Line {line} of metadata.csv is longer than {limit:,} characters.", FIX_LIST),
    "metadata_unknown": make_error("Line {line} of metadata.csv names {name}, which is not in the archive.", FIX_LIST),
    "metadata_ambiguous": make_error("Line {line} of metadata.csv matches several files: {name}.", FIX_LIST),
    "metadata_twice": make_error("Line {line} of metadata.csv names {name} a second time.", FIX_LIST),
    "metadata_missing": make_warning(
        "{count:,} files in the archive have no line in metadata.csv, such as {name}.", FIX_LIST
    ),
}

TABLE_AGAIN = "Correct the table and choose it again."

TABLE_ERRORS = {
    "table_not_text": make_error(
        "The table is not text in UTF-8, UTF-16 or Windows-1252.", "Save it as “CSV UTF-8” and choose it again."
    ),
    "table_line_long": make_error("A line of the table is longer than {limit:,} characters.", TABLE_AGAIN),
    "table_rows": make_error("The table has more than {limit:,} lines.", "Split it into smaller files."),
    "table_quotes": make_error("The table cannot be read: {problem}.", "Check its quotation marks."),
    "table_json": make_error("A line of the table is no JSON object.", TABLE_AGAIN),
    "table_no_lines": make_error("The table has no lines with a file name and a text.", TABLE_AGAIN),
    "table_one_value": make_error(
        "Each line of the table has the same text, “{value}”: it names a speaker or a language, not what is said.",
        "Add a column with the words of each recording.",
    ),
}

CODES = {**ARCHIVE_ERRORS, **MEMBER_ERRORS, **NAME_ERRORS, **METADATA_FINDINGS, **TABLE_ERRORS}
