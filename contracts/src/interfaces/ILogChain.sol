// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ILogChain
/// @notice One hash chain over all the events a contract declares in its own interface. A follower
/// recomputes it from the logs; one storage proof of the head against a finalized block then shows
/// that no log up to that block was withheld, added, altered or reordered.
///
/// The formula, with `head` = 32 zero bytes before the first event, for each event in log order:
///
///   entry = keccak256(abi.encode(topic0, arguments in declaration order))
///   head  = keccak256(abi.encode(head, entry))
///
/// Every event declares its indexed arguments first and has only arguments of fixed size, so that
///
///   entry = keccak256(topics[0] || ... || topics[n] || data)
///
/// where `||` joins the bytes of the log as the node returns them: no ABI is needed.
///
/// Events declared by OpenZeppelin's base contracts (in TrustRegistry: RoleGranted, RoleRevoked,
/// RoleAdminChanged, DefaultAdminTransferScheduled, DefaultAdminTransferCanceled,
/// DefaultAdminDelayChangeScheduled, DefaultAdminDelayChangeCanceled) are outside the chain: a
/// follower skips every log whose topic 0 is not an event of the contract's own interface.
interface ILogChain {
    /// @notice The head over every event so far; zero while there is none.
    function logHead() external view returns (bytes32);
}
