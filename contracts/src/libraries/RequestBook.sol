// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title The collateral requests of a pool
/// @notice Each request is settled once, in the window after its deadline, or expires, or is cancelled before it. From
/// the deadline on, a round may be on its way: cancelling would then undo what a round has computed.
///
///   None ──open──► Pending ──settle──► Filled | Failed      deadline ≤ now ≤ deadline + window
///                     ├─────expire───► Expired              now > deadline + window
///                     └─────cancel───► Cancelled            now < deadline
library RequestBook {
    /// @notice Where a request stands.
    enum Status {
        None,
        Pending,
        Filled,
        Failed,
        Expired,
        Cancelled
    }

    /// @param requester Who asked.
    /// @param deadline Unix time at which the round is to settle it.
    /// @param status Where it stands.
    struct Request {
        address requester;
        uint64 deadline;
        Status status;
    }

    /// @notice The deadline has passed or lies too far ahead.
    error DeadlineOutOfRange(uint256 after_, uint256 last, uint64 found);
    /// @notice The request does not exist or has ended.
    error RequestNotPending(bytes32 id, uint8 status);
    /// @notice The request cannot be settled before its deadline.
    error DeadlineNotReached(uint64 deadline, uint256 timestamp);
    /// @notice A round may be settling the request already.
    error DeadlineReached(uint64 deadline, uint256 timestamp);
    /// @notice The time for settling the request is over.
    error FillWindowClosed(uint256 closed, uint256 timestamp);
    /// @notice The request can still be settled.
    error FillWindowOpen(uint256 closes, uint256 timestamp);

    /// @notice Opens a request for `requester`.
    function open(
        mapping(bytes32 id => Request request) storage self,
        bytes32 id,
        address requester,
        uint64 deadline,
        uint64 maxDelay
    ) internal {
        uint256 last = block.timestamp + maxDelay;
        if (deadline <= block.timestamp || deadline > last) {
            revert DeadlineOutOfRange(block.timestamp, last, deadline);
        }
        self[id] = Request(requester, deadline, Status.Pending);
    }

    /// @notice Ends a pending request with the outcome of a round.
    function settle(mapping(bytes32 id => Request request) storage self, bytes32 id, bool success, uint64 fillWindow)
        internal
    {
        Request storage r = _pending(self, id);
        if (block.timestamp < r.deadline) revert DeadlineNotReached(r.deadline, block.timestamp);
        uint256 closes = uint256(r.deadline) + fillWindow;
        if (block.timestamp > closes) revert FillWindowClosed(closes, block.timestamp);
        r.status = success ? Status.Filled : Status.Failed;
    }

    /// @notice Ends a pending request whose window has passed.
    function expire(mapping(bytes32 id => Request request) storage self, bytes32 id, uint64 fillWindow) internal {
        Request storage r = _pending(self, id);
        uint256 closes = uint256(r.deadline) + fillWindow;
        if (block.timestamp <= closes) revert FillWindowOpen(closes, block.timestamp);
        r.status = Status.Expired;
    }

    /// @notice Ends a pending request before its deadline.
    function cancel(mapping(bytes32 id => Request request) storage self, bytes32 id) internal {
        Request storage r = _pending(self, id);
        if (block.timestamp >= r.deadline) revert DeadlineReached(r.deadline, block.timestamp);
        r.status = Status.Cancelled;
    }

    function _pending(mapping(bytes32 id => Request request) storage self, bytes32 id)
        private
        view
        returns (Request storage r)
    {
        r = self[id];
        if (r.status != Status.Pending) revert RequestNotPending(id, uint8(r.status));
    }
}
