// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {RequestBook} from "../../src/libraries/RequestBook.sol";
import {PoolFixture} from "../fixtures/PoolFixture.sol";

/// @notice Requests of a pool, and how often each has ended. Every call tries every request, also one that has ended.
abstract contract RequestDriver is PoolFixture {
    struct Made {
        bytes32 id;
        uint64 deadline;
    }

    Made[] internal made;
    mapping(bytes32 id => uint256 times) public ended;
    mapping(bytes32 id => uint8 status) public endedAs;
    uint256 internal requestSalts;

    function requestCount() external view returns (uint256) {
        return made.length;
    }

    function requestAt(uint256 i) external view returns (bytes32) {
        return made[i].id;
    }

    function request(uint64 delay) external {
        if (pool.halted() || pool.paused()) return;
        delay = uint64(bound(delay, 1, MAX_DELAY));
        bytes32 id = _requestCollateral(keccak256(abi.encode("request", ++requestSalts)), delay);
        made.push(Made(id, uint64(block.timestamp) + delay));
    }

    function cancel(uint256 which) external {
        if (made.length == 0) return;
        bytes32 id = made[which % made.length].id;
        vm.prank(reserve);
        try pool.cancel(id) {
            _end(id, 5);
        } catch {}
    }

    function expire(uint256 which) external {
        if (made.length == 0) return;
        bytes32 id = made[which % made.length].id;
        try pool.expire(id) {
            _end(id, 4);
        } catch {}
    }

    /// @dev A request that a round could settle now, or zero.
    function _due(uint256 which) internal view returns (bytes32) {
        if (made.length == 0) return 0;
        Made memory m = made[which % made.length];
        bool open = block.timestamp >= m.deadline && block.timestamp <= uint256(m.deadline) + FILL_WINDOW;
        return open && ended[m.id] == 0 ? m.id : bytes32(0);
    }

    /// @dev Why nothing more can happen to a request that has ended.
    function _hasEnded(bytes32 id) internal view returns (bytes memory) {
        return abi.encodeWithSelector(RequestBook.RequestNotPending.selector, id, endedAs[id]);
    }

    function _end(bytes32 id, uint8 status) internal {
        ended[id] += 1;
        endedAs[id] = status;
    }
}
