// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";

import {VaultBoard} from "../src/VaultBoard.sol";

contract VaultBoardTest is Test {
    uint64 internal constant NOW = 1_700_000_000;
    bytes internal constant MESSAGE = "signed";

    VaultBoard internal board;
    bytes32 internal nonce;

    function setUp() public {
        vm.warp(NOW);
        board = new VaultBoard();
        nonce = board.open(_members(4), _ends(), "salt");
    }

    function _member(uint256 number) private pure returns (address) {
        return address(uint160(0xA000 + number));
    }

    function _members(uint256 count) private pure returns (address[] memory members) {
        members = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            members[i] = _member(i + 1);
        }
    }

    function _ends() private pure returns (uint64[4] memory) {
        return [NOW + 100, NOW + 200, NOW + 300, NOW + 400];
    }

    function _refuse(uint256 number, uint8 round, bytes memory message, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(_member(number));
        board.post(nonce, round, message);
    }

    function test_membersPostToTheRoundThatRuns() public {
        for (uint8 round = 1; round <= 4; ++round) {
            vm.warp(NOW + 100 * uint256(round));
            vm.expectEmit();
            emit VaultBoard.Posted(nonce, round, 3, MESSAGE);
            vm.prank(_member(3));
            board.post(nonce, round, MESSAGE);
            assertEq(board.posted(nonce, round, 3), 1);
        }
        assertEq(board.membersOf(nonce), 4);
        assertEq(board.endsOf(nonce)[3], NOW + 400);
    }

    function test_aRoundThatIsOverOrHasNotBegunTakesNothing_n19() public {
        uint64 end = NOW + 100;
        _refuse(1, 2, MESSAGE, abi.encodeWithSelector(VaultBoard.RoundNotRunning.selector, 2, end, NOW + 200, NOW));
        vm.warp(end + 1);
        _refuse(1, 1, MESSAGE, abi.encodeWithSelector(VaultBoard.RoundNotRunning.selector, 1, 0, end, end + 1));
        _refuse(1, 0, MESSAGE, abi.encodeWithSelector(VaultBoard.NoRound.selector, 0));
        _refuse(1, 6, MESSAGE, abi.encodeWithSelector(VaultBoard.NoRound.selector, 6));
    }

    function test_membersSignAfterTheRoundsAndThatHasNoEnd_n84() public {
        uint64 last = NOW + 400;
        vm.warp(last);
        bytes4 notRunning = VaultBoard.RoundNotRunning.selector;
        _refuse(1, 5, MESSAGE, abi.encodeWithSelector(notRunning, 5, last, type(uint64).max, last));
        vm.warp(uint256(last) + 36_500 days);
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(_member(1));
            board.post(nonce, 5, MESSAGE);
        }
        _refuse(1, 5, MESSAGE, abi.encodeWithSelector(VaultBoard.TooManyMessages.selector, 4));
        _refuse(5, 5, MESSAGE, abi.encodeWithSelector(VaultBoard.NotMember.selector, nonce, _member(5)));
    }

    function test_whoIsNoMemberPostsNothing() public {
        _refuse(5, 1, MESSAGE, abi.encodeWithSelector(VaultBoard.NotMember.selector, nonce, _member(5)));
        vm.expectRevert(abi.encodeWithSelector(VaultBoard.NotMember.selector, bytes32("other"), _member(1)));
        vm.prank(_member(1));
        board.post("other", 1, MESSAGE);
    }

    function test_messagesAreBoundedInLengthAndNumber() public {
        bytes memory most = new bytes(24_576);
        vm.prank(_member(1));
        board.post(nonce, 1, most);
        bytes memory long = new bytes(24_577);
        _refuse(1, 1, long, abi.encodeWithSelector(VaultBoard.MessageLength.selector, 24_576, 24_577));
        _refuse(1, 1, "", abi.encodeWithSelector(VaultBoard.MessageLength.selector, 24_576, 0));
        for (uint256 i = 1; i < 4; ++i) {
            vm.prank(_member(1));
            board.post(nonce, 1, MESSAGE);
        }
        _refuse(1, 1, MESSAGE, abi.encodeWithSelector(VaultBoard.TooManyMessages.selector, 4));
        vm.prank(_member(2));
        board.post(nonce, 1, MESSAGE);
        assertEq(board.mostMessages(nonce, 3), 5);
    }

    function test_aCeremonyIsBoundToOpenerMembersEndsAndSalt() public {
        vm.expectRevert(abi.encodeWithSelector(VaultBoard.AlreadyOpen.selector, nonce));
        board.open(_members(4), _ends(), "salt");
        assertNotEq(board.open(_members(4), _ends(), "other"), nonce);
        assertNotEq(board.open(_members(5), _ends(), "salt"), nonce);
        uint64[4] memory later = _ends();
        later[3] += 1;
        assertNotEq(board.open(_members(4), later, "salt"), nonce);
        vm.prank(_member(1));
        assertNotEq(board.open(_members(4), _ends(), "salt"), nonce);
        assertNotEq(new VaultBoard().open(_members(4), _ends(), "salt"), nonce);
        vm.chainId(5);
        assertNotEq(board.open(_members(4), _ends(), "salt"), nonce);
    }

    function test_membersAndEndsThatMakeNoCeremonyAreRefused() public {
        address[] memory members = new address[](0);
        vm.expectRevert(abi.encodeWithSelector(VaultBoard.MemberCount.selector, 510, 0));
        board.open(members, _ends(), "x");
        members = _members(511);
        vm.expectRevert(abi.encodeWithSelector(VaultBoard.MemberCount.selector, 510, 511));
        board.open(members, _ends(), "x");
        members = _members(4);
        members[2] = address(0);
        vm.expectRevert(abi.encodeWithSelector(VaultBoard.ZeroMember.selector, 3));
        board.open(members, _ends(), "x");
        members[2] = members[0];
        vm.expectRevert(abi.encodeWithSelector(VaultBoard.RepeatedMember.selector, members[0]));
        board.open(members, _ends(), "x");
        uint64[4] memory ends = _ends();
        ends[2] = ends[1];
        vm.expectRevert(abi.encodeWithSelector(VaultBoard.EndNotLater.selector, 3, ends[1], ends[2]));
        board.open(_members(4), ends, "x");
        ends[0] = NOW;
        vm.expectRevert(abi.encodeWithSelector(VaultBoard.EndNotLater.selector, 1, NOW, NOW));
        board.open(_members(4), ends, "x");
    }
}
