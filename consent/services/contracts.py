from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from consent.models import Contract, Talent
from voicehub.models import User
from voicehub.storage import hash_file
from voicehub.upload_limits import CONTRACT_BYTES


def find_pdf_problem(file: "UploadedFile[Any]") -> str:
    """Why this file cannot be filed as a contract, or an empty string. VoiceHub never opens or renders the file.

    A PDF has its header within the first 1,024 bytes and ends with %%EOF (ISO 32000-1, 7.5 and annex H).
    """
    if (file.size or 0) > CONTRACT_BYTES:
        return f"The file is larger than {CONTRACT_BYTES >> 20} MB. Make it smaller and try again."
    file.seek(0)
    head = file.read(1024)
    file.seek(max((file.size or 0) - 1024, 0))
    tail = file.read()
    file.seek(0)
    if b"%PDF-" not in head:
        return "This is not a PDF. Save or scan the contract as a PDF and try again."
    if b"%%EOF" not in tail:
        return "The end of this PDF is missing. Save it again and try again."
    return ""


def file_contract(talent: Talent, file: "UploadedFile[Any]", terms: dict[str, Any], by: User) -> Contract:
    """File a contract that passed `find_pdf_problem`; `terms` maps field names of Contract to values."""
    contract = Contract(
        talent=talent,
        file=file,
        file_name=(file.name or "contract.pdf")[-200:],
        sha256=hash_file(file),
        filed_by=by,
    )
    for name, value in terms.items():
        setattr(contract, name, value)
    with transaction.atomic():
        contract.save(force_insert=True)
    return contract
