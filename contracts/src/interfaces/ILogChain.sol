// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ILogChain
/// @notice One hash chain over all the events of a contract, those of its base contracts included. A
/// follower recomputes it from the logs; one storage proof of the head against a finalized block
/// then shows that no log up to that block was withheld, added, altered or reordered.
///
/// The formula, with `head` = 32 zero bytes before the first event, for each log of the contract's
/// address in log order:
///
///   entry = keccak256(topics[0] || ... || topics[n] || data)
///   head  = keccak256(head || entry)
///
/// where `||` joins the bytes of the log as the node returns them: no ABI is needed and no event is
/// left out. `data` is the ABI encoding of the arguments that are not indexed. Every event declares
/// its indexed arguments first, and but for DIDAttributeChanged of the DID registry all arguments
/// are of fixed size, so that the same entry is
///
///   entry = keccak256(abi.encode(topic0, arguments in declaration order))
///
/// The numbers of topics and the lengths of data are given by topic 0 and by the encoding, so that
/// two different logs never join to the same bytes.
interface ILogChain {
    /// @notice The head over every event so far; zero while there is none.
    function logHead() external view returns (bytes32);
}
