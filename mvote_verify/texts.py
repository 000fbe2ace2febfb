"""What people read: names of the checks, of the results and of the codes, Korean and English."""

LANGUAGES = ("ko", "en")

CHECK_NAMES: dict[int, tuple[str, str]] = {
    1: ("선거 공고(매니페스트)", "manifest"),
    2: ("기록 장부의 형식", "form of the log"),
    3: ("체크포인트", "checkpoints"),
    4: ("열쇠 생성 절차", "key ceremony"),
    5: ("선거 공개키", "election key"),
    6: ("블록체인의 게시판", "board on the chain"),
    7: ("투표지의 형식", "form of the ballots"),
    8: ("투표지의 중복", "ballots apart"),
    9: ("투표지의 증명", "proofs of the ballots"),
    10: ("투표 자격의 증명", "proofs of eligibility"),
    11: ("투표 시간", "times"),
    12: ("거부 목록, 마감, 종료", "rejections, close, end"),
    13: ("종이·현장 투표 묶음", "paper and on-site batches"),
    14: ("관리인의 복호화 몫", "decryption shares"),
    15: ("득표 합계", "totals"),
    16: ("동점 처리", "tie-break"),
    17: ("선정 결과", "outcome"),
    18: ("블록체인의 봉인", "seal on the chain"),
    19: ("파일 목록", "files"),
    20: ("내 투표지", "my ballot"),
}

STATUSES: dict[str, tuple[str, str]] = {
    "passed": ("통과", "passed"),
    "failed": ("실패", "failed"),
    "skipped": ("건너뜀", "skipped"),
    "not_reached": ("확인하지 못함", "not reached"),
}

CODES: dict[str, tuple[str, str]] = {
    "manifest_malformed": ("공고문의 형식이 틀렸습니다.", "The manifest has not its form."),
    "manifest_invalid": ("공고문의 내용이 규칙에 어긋납니다.", "The manifest breaks a rule."),
    "manifest_differs": ("장부의 공고문과 다릅니다.", "The log holds another manifest."),
    "log_malformed": ("장부의 항목이 훼손되었습니다.", "An entry of the log is damaged."),
    "log_order": ("장부의 순서가 틀렸습니다.", "Entries of the log are out of order."),
    "checkpoint_signature": (
        "체크포인트에 게시판의 서명이 없습니다.",
        "A checkpoint is not the board's statement about this election.",
    ),
    "checkpoint_order": ("체크포인트의 순서가 틀렸습니다.", "Checkpoints are out of order."),
    "root_differs": ("체크포인트와 장부가 다릅니다.", "A checkpoint is of another log."),
    "log_not_covered": (
        "장부의 끝을 덮는 체크포인트가 없습니다.",
        "No checkpoint covers the log.",
    ),
    "ceremony_signature": (
        "열쇠 생성 메시지의 서명이 틀렸습니다.",
        "A message of the ceremony is not its trustee's.",
    ),
    "ceremony_order": ("열쇠 생성의 순서가 틀렸습니다.", "The ceremony is out of order."),
    "ceremony_failed": ("열쇠 생성이 실패했습니다.", "The ceremony gave no key."),
    "election_key_differs": (
        "게시된 선거 공개키가 계산한 값과 다릅니다.",
        "The published election key is not the one of the ceremony.",
    ),
    "statement_signature": ("게시판의 서명이 틀렸습니다.", "The board did not sign a statement."),
    "chain_board_differs": (
        "블록체인의 게시판이 공고와 다릅니다.",
        "The board on the chain is not the manifest's.",
    ),
    "chain_checkpoint_differs": (
        "블록체인의 체크포인트가 기록과 다릅니다.",
        "The chain has other checkpoints than the record.",
    ),
    "ballot_malformed": ("투표지의 형식이 틀렸습니다.", "A ballot has not its form."),
    "ballot_not_eligible": (
        "이 선거의 계층·지역이 아닌 투표지가 있습니다.",
        "A ballot is of no stratum or district of the election.",
    ),
    "ballot_replayed": ("베낀 투표지가 있습니다.", "A ballot is a copy of another."),
    "ballot_sequence": ("재투표의 순서가 틀렸습니다.", "A voter's ballots are out of order."),
    "more_ballots_than_people": (
        "투표자가 자격자보다 많습니다.",
        "More ballots count than residents hold a credential.",
    ),
    "ballot_proof_invalid": (
        "규칙에 맞는 표라는 증명이 틀렸습니다.",
        "A ballot is not proven to hold a legal vote.",
    ),
    "eligibility_proof_invalid": (
        "투표 자격의 증명이 틀렸습니다.",
        "A ballot is not proven to be a resident's.",
    ),
    "ballot_outside_window": (
        "투표 시간 밖에 들어온 투표지가 있습니다.",
        "A ballot came outside the time of the vote.",
    ),
    "close_differs": ("마감 명세가 장부와 다릅니다.", "The close is not what the log gives."),
    "end_differs": ("종료 명세가 장부와 다릅니다.", "The end is not what the log gives."),
    "batch_signature": ("묶음에 담당자의 서명이 없습니다.", "A batch is not its officer's."),
    "batch_invalid": ("묶음의 내용이 규칙에 어긋납니다.", "A batch breaks a rule."),
    "share_malformed": ("복호화 몫의 형식이 틀렸습니다.", "A share has not its form."),
    "share_missing": ("복호화 몫이 없습니다.", "A share is missing."),
    "share_signature": ("복호화 몫의 서명이 틀렸습니다.", "A share is not its trustee's."),
    "share_aggregate_differs": (
        "다른 합계에 대한 복호화 몫입니다.",
        "A share is of another aggregate.",
    ),
    "share_proof_invalid": ("복호화 몫의 증명이 틀렸습니다.", "The proof of a share is wrong."),
    "too_few_shares": ("올바른 복호화 몫이 모자랍니다.", "There are too few valid shares."),
    "too_few_ballots": ("표가 20장보다 적습니다.", "Under 20 ballots count."),
    "total_differs": ("득표수가 복호화한 값과 다릅니다.", "A total is not what was decrypted."),
    "tally_differs": ("집계표가 계산과 다릅니다.", "The tally is not what the record gives."),
    "tie_nonce_differs": (
        "동점 처리용 난수가 약속과 다릅니다.",
        "A nonce of the tie-break is not its trustee's.",
    ),
    "tie_block_differs": (
        "동점 처리용 블록이 다릅니다.",
        "The block of the tie-break is another.",
    ),
    "outcome_differs": (
        "선정 결과가 계산과 다릅니다.",
        "The outcome is not what the tally gives.",
    ),
    "seal_differs": ("블록체인의 봉인이 기록과 다릅니다.", "The seal is of another record."),
    "record_differs": ("파일 목록이 파일과 다릅니다.", "record.json names other files."),
    "challenge_malformed": (
        "열어 보인 투표지의 형식이 틀렸습니다.",
        "The opened ballot has not its form, or is no legal vote.",
    ),
    "challenge_differs": (
        "열어 보인 투표지의 번호가 기기가 보여 준 번호와 다릅니다. 기기가 다른 표를 만들었습니다.",
        "The opened ballot has another code than the device showed: it held something else.",
    ),
    "ballot_not_found": ("이 추적번호의 투표지가 없습니다.", "No ballot has this tracking code."),
}

LINES: dict[str, tuple[str, str]] = {
    "because": ("먼저 통과해야 할 것:", "because of"),
    "success": (
        "모든 확인을 했고 모두 통과했습니다.",
        "Every check ran and passed.",
    ),
    "failed": (
        "이 기록은 맞지 않습니다. 실패한 확인을 보십시오.",
        "This record is not right: see the checks that failed.",
    ),
    "incomplete": (
        "틀린 것은 없었지만 모든 것을 확인하지는 못했습니다. 건너뛴 확인은 통과가 아닙니다.",
        "Nothing was wrong, but not everything was checked. A skipped check is not a passed one.",
    ),
    "unreadable": ("기록 폴더를 읽을 수 없습니다.", "The folder of the record cannot be read."),
    "funded": ("선정", "funded"),
    "short": ("₩{:,} 부족", "short by ₩{:,}"),
    "below_threshold": ("최소 기준 미달", "below the threshold"),
    "stopped": ("예산 소진 뒤", "after the money had run out"),
    "not_considered": ("심사 대상 아님", "not considered"),
    "votes": ("득표", "votes"),
    "cost": ("비용", "cost"),
    "project": ("사업", "project"),
    "result": ("결과", "result"),
    "ballots": ("투표지", "ballots"),
    "choice": ("선택", "choice"),
    "challenge_holds": (
        "이 투표지는 위의 선택을 담고 있었습니다. 당신이 고른 것과 같은지 보십시오.",
        "The ballot held the choices above. See that they are what you chose.",
    ),
}


def pick(pair: tuple[str, str], lang: str) -> str:
    """The text of a pair in `ko` or `en`."""
    return pair[LANGUAGES.index(lang)]
