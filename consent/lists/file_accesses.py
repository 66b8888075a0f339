"""The list of who opened the files of a talent."""

from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString

from consent.models import FileAccess, Talent
from consent.services.file_access import get_kind_label
from voicehub.folding import Fold
from voicehub.lists.filters import ListFilter, ValueFilter
from voicehub.lists.tables import ListColumn, ListTable
from voicehub.templatetags.cells import render_lines, render_moment


def query_file_accesses(talent: Talent) -> QuerySet[FileAccess]:
    return FileAccess.objects.filter(talent=talent)


class FileAccessFilter(ListFilter):
    search_fields = {"reader_name": "", "label": ""}
    search_label = "Person or file"
    kind = ValueFilter("File", "kind", get_kind_label)
    person = ValueFilter("Person", "reader_name", str)


class FileAccessTable(ListTable):
    default_sort = "-hour"

    reader_name = ListColumn("Person", lambda: Fold("reader_name"), "hour", css_class="two")
    file = ListColumn("File", "kind", "label", css_class="two")
    hour = ListColumn("Hour", "hour", is_descending_first=True)
    count = ListColumn("Requests", "count", css_class="num only-desk", is_descending_first=True)

    def render_reader_name(self, record: FileAccess) -> str:
        return record.reader_name

    def render_file(self, record: FileAccess) -> SafeString:
        return render_lines(get_kind_label(record.kind), format_html("{}", record.label))

    def render_hour(self, record: FileAccess) -> SafeString | str:
        return render_moment(record.hour)

    def render_count(self, record: FileAccess) -> str:
        return f"{record.count:,}"
