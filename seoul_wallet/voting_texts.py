"""What the command line says about votes, in Korean and English."""

from typing import Final

VOTING_TEXTS: Final[dict[str, dict[str, str]]] = {
    "ko": {
        "vote_until": "마감",
        "vote_group": "투표인 구분",
        "vote_place": "지역",
        "on_chain": "주관 기관이 체인에 연 게시판과 맞추어 보았습니다.",
        "not_on_chain": "체인과 맞추어 보지 않았습니다. 공고된 지문과 같은지 보십시오",
        "published": "공고된 지문과 같습니다.",
        "ballot": "투표지",
        "project": "사업",
        "category": "분야",
        "district": "지역",
        "cost": "사업비",
        "rules": "투표 규칙",
        "choose": "고를 사업의 번호 (점수나 순위는 번호=값, 빈칸으로 구분)",
        "broken": "규칙에 어긋납니다",
        "your_choice": "고른 내용",
        "choice": "선택",
        "what_is_sent": "보내는 것: 암호문, 규칙에 맞는 표라는 증명, 자격의 증명, 이 선거에서만 "
        "쓰는 번호, 투표인 구분. 이름과 고른 내용은 보내지 않습니다.",
        "code": "추적 번호 (적어 두십시오)",
        "decide": "제출(cast), 검사(challenge), 그만(stop)",
        "cast_done": "투표함이 접수했습니다",
        "shown_by": "게시판에 실리는 때",
        "replaces": "먼저 낸 표를 대신합니다. 차례",
        "track_hint": "그 뒤에 확인하려면",
        "nothing_sent": "아무것도 보내지 않았습니다.",
        "opened": "표를 열어 파일에 담았습니다. 이 표는 제출되지 않습니다. 파일은 선택을 드러내니 "
        "확인한 뒤 지우십시오",
        "check_with": "다른 기기에서 확인하려면",
        "standing_on_board": "게시판에 있습니다.",
        "standing_awaited": "아직 실릴 때가 아닙니다. 기다리십시오.",
        "standing_missing": "실릴 때가 지났는데 게시판에 없습니다.",
        "entry": "기록 번호",
        "counts_yes": "이 표가 셈해집니다.",
        "counts_no": "이 표는 셈해지지 않습니다. 같은 비밀로 낸 나중 표가 있습니다.",
        "counts_unknown": "다른 기기에서 낸 표가 있는지 보려면 --search 를 붙이십시오.",
        "strangers": "이 지갑이 내지 않은 표입니다. 당신이 내지 않았다면 누군가 지갑의 비밀을 "
        "가진 것입니다: 마감 전에 현장 창구에서 자격증명을 다시 받으십시오",
        "refused_later": "나중 표를 투표함이 받지 않았습니다",
        "missing_steps": "1. 다른 기기, 다른 통신망에서 추적 번호를 찾아보십시오.\n"
        "2. 마감 전이면 다시 투표하십시오. 현장 투표소가 가장 확실합니다. "
        "접수증은 지우지 마십시오.\n"
        "3. 마감 뒤에는 접수증과 추적 번호를 이의 접수처에 보내십시오 (--evidence 파일).\n"
        "4. 지갑 파일이나 시드는 누구에게도 주지 마십시오.",
        "evidence_written": "이의 제기에 쓸 증거를 적었습니다. 고른 내용은 드러나지 않습니다",
        "sequence_steps": "같은 비밀로 낸 표가 이미 있습니다 (다른 기기이거나 다른 사람). "
        "확인하려면: seoul-wallet wallet track --search",
        "unfinished_vote": "보내다 멈춘 표가 있습니다. 이어 보내려면: seoul-wallet wallet track",
    },
    "en": {
        "vote_until": "Closes",
        "vote_group": "You vote as",
        "vote_place": "District",
        "on_chain": "Compared with the board that the organiser opened on the chain.",
        "not_on_chain": "Not compared with the chain. See that the published fingerprint is",
        "published": "The fingerprint is the published one.",
        "ballot": "Ballot",
        "project": "Project",
        "category": "Field",
        "district": "District",
        "cost": "Cost",
        "rules": "How to vote",
        "choose": "Ids of the projects to choose (points or places as id=value), with blanks",
        "broken": "This breaks the rules",
        "your_choice": "Your choice",
        "choice": "Choice",
        "what_is_sent": "Sent: ciphertexts, a proof that they hold a legal vote, a proof that you "
        "may vote, a number that exists in this election alone, your group. Neither your name nor "
        "what you chose is sent.",
        "code": "Tracking code (write it down)",
        "decide": "Cast it, challenge it, or stop",
        "cast_done": "The ballot box accepted it",
        "shown_by": "On the board not later than",
        "replaces": "It replaces your ballot before. Sequence",
        "track_hint": "To check after that",
        "nothing_sent": "Nothing was sent.",
        "opened": "Opened the ballot to a file. It will never be cast. The file tells your "
        "choice: delete it when you have checked",
        "check_with": "To check on another device",
        "standing_on_board": "It is on the board.",
        "standing_awaited": "Its time has not passed yet: wait.",
        "standing_missing": "Its time has passed, and it is not on the board.",
        "entry": "Entry",
        "counts_yes": "This ballot counts.",
        "counts_no": "This ballot does not count: a later one was cast with the same secret.",
        "counts_unknown": "Add --search to see whether another device cast a later one.",
        "strangers": "Ballots that this wallet did not cast. If you did not either, somebody has "
        "your wallet's secret: have your credential re-issued at the on-site desk before the "
        "close",
        "refused_later": "The ballot box refused a later ballot",
        "missing_steps": "1. Look the code up on another device and another network.\n"
        "2. Before the close: vote again, best at an on-site booth. Keep the acceptance.\n"
        "3. After the close: send acceptance and code to the dispute desk (--evidence FILE).\n"
        "4. Give the wallet file or the seed to nobody.",
        "evidence_written": "Wrote the evidence for a dispute. It does not show what you chose",
        "sequence_steps": "A ballot with the same secret is there already (another device, or "
        "somebody else). To see: seoul-wallet wallet track --search",
        "unfinished_vote": "A ballot was cut short on its way. To go on: seoul-wallet wallet "
        "track",
    },
}
