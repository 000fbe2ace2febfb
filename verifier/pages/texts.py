"""What the pages say, in Korean and English."""

from __future__ import annotations

from typing import Final

LANGUAGES: Final = ("ko", "en")
TEXTS: Final[dict[str, dict[str, str]]] = {
    "ko": {
        "title": "증명서 확인",
        "choose": "무엇을 확인할까요?",
        "asks": "요청 기관",
        "purpose": "목적",
        "shows": "보여 주게 될 항목",
        "other_device": "휴대전화로 QR 코드 찍기",
        "this_device": "이 기기의 지갑 열기",
        "scan": "지갑 앱으로 이 QR 코드를 찍으세요.",
        "scan_warning": "다른 사람이 보낸 QR 코드는 찍지 마세요. "
        "이 화면을 직접 연 경우에만 안전합니다.",
        "expires": "이 코드는 {seconds}초 동안, 한 번만 쓸 수 있습니다.",
        "open_wallet": "지갑 열기",
        "waiting": "답을 기다리고 있습니다.",
        "opened": "지갑이 요청을 열었습니다. 지갑에서 확인해 주세요.",
        "accepted": "확인되었습니다",
        "rejected": "확인되지 않았습니다",
        "unavailable": "지금은 확인할 수 없습니다. 잠시 뒤에 다시 해 보세요.",
        "reason": "까닭",
        "claims": "확인된 내용",
        "shown_before": "확인된 내용은 한 번만 보여 드립니다.",
        "facts_as_of": "확인에 쓴 사실의 시점",
        "again": "처음으로",
        "gone": "진행 중인 요청이 없거나 시간이 지났습니다.",
        "refresh": "상태 새로 고침",
        "language": "English",
    },
    "en": {
        "title": "Check a credential",
        "choose": "What shall be checked?",
        "asks": "Who asks",
        "purpose": "Purpose",
        "shows": "What you would show",
        "other_device": "Scan a QR code with your phone",
        "this_device": "Open the wallet on this device",
        "scan": "Scan this QR code with your wallet.",
        "scan_warning": "Never scan a code that somebody sent you: it is safe only if you opened "
        "this page yourself.",
        "expires": "The code is good for {seconds} seconds, and once.",
        "open_wallet": "Open the wallet",
        "waiting": "Waiting for an answer.",
        "opened": "A wallet has opened the request. Please confirm there.",
        "accepted": "Confirmed",
        "rejected": "Not confirmed",
        "unavailable": "This cannot be checked just now. Please try again in a moment.",
        "reason": "Reason",
        "claims": "What was confirmed",
        "shown_before": "What was confirmed is shown once only.",
        "facts_as_of": "Time of the facts used",
        "again": "Start again",
        "gone": "No request is under way, or its time is over.",
        "refresh": "Refresh",
        "language": "한국어",
    },
}
