"""The search over everything that the user may see: the page, and the results for the dialog."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from consent.access import get_user, require_permission
from voices import search_results
from voices.services.search import MAX_CHARACTERS, search, split_words

ROWS_IN_DIALOG = 5
PAGE_SIZE = 25


@require_permission("consent.view_talent")
@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    """All groups with their first rows, or with `group` in the address one group, page by page."""
    query, key = _read_query(request), request.GET.get("group", "")
    key = key if key in search_results.LABELS else ""
    words, size = split_words(query), PAGE_SIZE if key else ROWS_IN_DIALOG
    found = search(get_user(request), words, size, key, request.GET.get("page", ""))
    groups = search_results.make_groups(found, words)
    context = {
        "query": query,
        "groups": groups,
        "active_label": search_results.LABELS.get(key, ""),
        "summary": search_results.describe_results(groups, words, query),
        "max_characters": MAX_CHARACTERS,
    }
    return render(request, "voices/search.html", context)


@require_permission("consent.view_talent")
@require_safe
def search_suggestions(request: HttpRequest) -> JsonResponse:
    """The results in the dialog: the first rows of each group as options of a list, and their number in words."""
    query = _read_query(request)
    words = split_words(query)
    groups = search_results.make_groups(search(get_user(request), words, ROWS_IN_DIALOG), words)
    html = render_to_string("voices/_search_options.html", {"groups": groups, "query": query}, request)
    return JsonResponse({"summary": search_results.describe_results(groups, words, query), "html": html})


def _read_query(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\x00", " ").strip()[:MAX_CHARACTERS]
