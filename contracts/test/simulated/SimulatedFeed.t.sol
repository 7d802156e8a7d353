// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {AggregatorV3Interface} from "@chainlink/contracts/src/v0.8/shared/interfaces/AggregatorV3Interface.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Test} from "forge-std/Test.sol";

import {IAggregatorV3} from "../../src/interfaces/IAggregatorV3.sol";
import {SimulatedFeed} from "../../src/simulated/SimulatedFeed.sol";

contract SimulatedFeedTest is Test {
    SimulatedFeed internal feed;

    function setUp() public {
        vm.warp(1000);
        feed = new SimulatedFeed(8, "BTC / USD, simulated");
    }

    function test_sameSelectorsAsTheRealInterface() public pure {
        assertEq(type(IAggregatorV3).interfaceId, type(AggregatorV3Interface).interfaceId);
    }

    function test_answersWhatWasPushed() public {
        feed.push(100, 900);
        feed.push(-5, 1000);
        (uint80 round, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredIn) = feed.latestRoundData();
        assertEq(round, 2);
        assertEq(answer, -5);
        assertEq(startedAt, 1000);
        assertEq(updatedAt, 1000);
        assertEq(answeredIn, 2);
        (round, answer,, updatedAt,) = feed.getRoundData(1);
        assertEq(round, 1);
        assertEq(answer, 100);
        assertEq(updatedAt, 900);
        assertEq(feed.decimals(), 8);
        assertEq(feed.version(), 1);
        assertEq(feed.description(), "BTC / USD, simulated");
    }

    function test_refusesRoundsWithoutData() public {
        vm.expectRevert(abi.encodeWithSelector(SimulatedFeed.NoDataPresent.selector, 0));
        feed.latestRoundData();
        feed.push(1, 1);
        vm.expectRevert(abi.encodeWithSelector(SimulatedFeed.NoDataPresent.selector, 2));
        feed.getRoundData(2);
    }

    function test_refusesTimeThatDoesNotIncrease() public {
        feed.push(1, 900);
        vm.expectRevert(abi.encodeWithSelector(SimulatedFeed.TimeNotAfterLast.selector, 900, 900));
        feed.push(1, 900);
    }

    function test_refusesTheFuture() public {
        vm.expectRevert(abi.encodeWithSelector(SimulatedFeed.ObservationInFuture.selector, 1000, 1001));
        feed.push(1, 1001);
    }

    function test_onlyTheOwnerPushes() public {
        address stranger = makeAddr("stranger");
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, stranger));
        vm.prank(stranger);
        feed.push(1, 1);
    }
}
