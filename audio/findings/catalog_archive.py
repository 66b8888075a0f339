"""Findings about a rejected archive and its list of transcripts."""

from audio.findings.templates import SEND_AGAIN, make_error, make_fix, make_warning

PACK_AGAIN = "Pack the files again as a .zip or .tar.gz with the standard tool of your system."
PACK_CLIPS = "Pack only the recordings, and metadata.csv if there is one."
RENAME = "Rename it, with letters, digits, spaces, - and _, then pack the files again."

ARCHIVE_ERRORS = {
    "not_an_archive": make_error("The file is not a ZIP or tar archive.", PACK_AGAIN),
    "archive_not_tar": make_error("The {format} file contains no tar archive.", PACK_AGAIN),
    "archive_nested": make_error("The {format} file contains another kind of archive.", PACK_AGAIN),
    "archive_other_format": make_error("The file is a {format} archive, which cannot be read.", PACK_AGAIN),
    "archive_of_archives": make_error(
        "The archive has no recordings, but other archives, such as {name}.",
        "Unpack them, then pack all files together.",
    ),
    "archive_memory": make_error("The archive needs more than {limit} MB of memory to unpack.", PACK_AGAIN),
    "archive_without_audio": make_error("The archive has no recordings.", PACK_CLIPS),
    "archive_empty": make_error("The archive is empty.", PACK_CLIPS),
    "archive_truncated": make_error("The archive is cut off: its end is missing.", SEND_AGAIN),
    "archive_damaged": make_error("The archive is damaged ({what}).", SEND_AGAIN),
    "archive_polyglot": make_error("The file is two kinds of archive in one.", PACK_AGAIN),
    "archive_split": make_error("The file is one part of a split archive.", "Pack the files into one archive."),
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
    "member_checksum": make_error("The checksum of {name} is wrong: it was damaged in the archive.", SEND_AGAIN),
    "member_damaged": make_error("The file {name} is damaged in the archive, and cannot be unpacked.", SEND_AGAIN),
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
    "name_absolute": make_error("The path {name} points outside the archive.", PACK_AGAIN),
    "name_drive": make_error("The path {name} points outside the archive.", PACK_AGAIN),
    "name_escapes": make_error("The path {name} points outside the archive.", PACK_AGAIN),
    "name_too_deep": make_error(
        "The file {name} is in more than {limit} nested folders.", "Put the files into one folder, and pack that."
    ),
    "name_twice": make_error("There are two files called {name}.", RENAME),
    "names_collide": make_error("The name {name} is almost the same as that of another file.", RENAME),
}

TABLE_AGAIN = "Correct the table and choose it again."
CHECK_LINES = "Correct these lines, or choose the table again for the voice, which shows each line."

SKIPPED_FINDINGS = {
    "archive_hidden": make_warning(
        "Bytes of the archive that belong to none of its files were skipped: {count:,}.",
        "If a file is missing, pack all files again.",
    ),
    "archive_trailing": make_warning(
        "Other bytes follow the end of the archive. They were skipped.", "If a file is missing, pack all files again."
    ),
    "nested_archives": make_warning(
        "Archives inside the archive were not read: {files}.", "Unpack them, and upload their files."
    ),
    "names_decoded": make_fix(
        "Names that are not in UTF-8: {count:,}. They were read as {page}, such as {name}.",
        "If they look wrong, pack the files again with a program that writes UTF-8, such as 7-Zip.",
    ),
    "names_cleaned": make_fix(
        "Names that were too long, empty, or had invisible characters: {count:,}, such as {name}.",
        "They are shown without these.",
    ),
}

METADATA_FINDINGS = {
    "metadata_missing": make_warning("{count:,} recordings have no transcript, such as {name}.", "Add their texts."),
    "texts_differ": make_warning(
        "The archive has different transcripts for {files}, so these have none.", "Keep one text for each recording."
    ),
    "table_unread": make_warning("{reason} So the transcripts in {name} were not read.", TABLE_AGAIN),
    "table_lines_unknown": make_warning(
        "Lines of {name} that are the name of no file in the archive: {lines}.", CHECK_LINES
    ),
    "table_lines_ambiguous": make_warning(
        "Lines of {name} that several files have as their name: {lines}.", CHECK_LINES
    ),
    "table_lines_repeated": make_warning("Lines of {name} with different texts for one file: {lines}.", CHECK_LINES),
    "table_lines_empty": make_warning("Lines of {name} without a text: {lines}.", CHECK_LINES),
    "table_texts_long": make_warning(
        "Lines of {name} with more than {limit:,} characters: {lines}.", "Split these recordings into shorter ones."
    ),
    "table_zeros_lost": make_warning(
        "{count:,} names in {name} seem to have lost their leading zeros: line {line} may mean {file}.",
        "Choose the table again for the voice, which offers to put the zeros back.",
    ),
    "table_cleaned": make_fix(
        "{count:,} texts of {name} had unusual spaces or invisible marks.",
        "They are ordinary spaces now, and the marks are gone.",
    ),
    "table_in_doubt": make_warning(
        "It is not certain which column of {name} has the transcripts.", "Look at the texts of some recordings."
    ),
    "side_files": make_fix(
        "{count:,} files of editors and systems were skipped, such as {name}.", "They are not recordings."
    ),
    "other_files": make_warning(
        "Files that are neither recordings nor transcripts were skipped: {files}.",
        "Pack recordings and transcripts only.",
    ),
}

TABLE_ERRORS = {
    "table_not_text": make_error(
        "The table is not text in UTF-8, UTF-16 or Windows-1252.", "Save it as “CSV UTF-8” and choose it again."
    ),
    "table_too_big": make_error("The table is longer than {limit} MB.", "Split it into smaller files."),
    "table_line_long": make_error("A line of the table is longer than {limit:,} characters.", TABLE_AGAIN),
    "table_rows": make_error("The table has more than {limit:,} lines.", "Split it into smaller files."),
    "table_quotes": make_error("The table cannot be read: {problem}.", "Check its quotation marks."),
    "table_json": make_error("Line {line} of the table is no JSON object.", TABLE_AGAIN),
    "table_json_text": make_error(
        "Line {line} of the table cannot be read: an escape in it stands for no character of a text.", TABLE_AGAIN
    ),
    "table_no_lines": make_error("The table has no lines with a file name and a text.", TABLE_AGAIN),
    "table_one_value": make_error(
        "Each line of the table has the same text, “{value}”: it names a speaker or a language, not what is said.",
        "Add a column with the words of each recording.",
    ),
}

CODES = {**ARCHIVE_ERRORS, **MEMBER_ERRORS, **NAME_ERRORS, **SKIPPED_FINDINGS, **METADATA_FINDINGS, **TABLE_ERRORS}
