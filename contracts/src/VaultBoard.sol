// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title Where participants post the messages of a ceremony
/// @notice A key generation, a refresh or a reshare has four rounds, each with a last second. Whoever is named when a
/// ceremony opens posts to the round that runs; everybody reads the same messages in the same order, those of events.
/// After them members sign what came of it, in a fifth place that has no end: the signatures that move `VaultRegistry`.
/// What a message says is not looked at here: participants sign what they say, and judge it among themselves. Nobody
/// owns this contract.
///
/// *Layout*: a ceremony's nonce is keccak256(abi.encode(bytes32 keccak256("ccc/v1/board"), uint256 chain, address board,
/// address opener, bytes32 keccak256 of the members as words, uint64[4] ends, bytes32 salt)). The session of the
/// participants holds it, and so does every message that they sign: a message of another ceremony, board or chain counts
/// for nothing.
///
/// *Security*: a round is over when a final block is later than its end, and not when a message came. Whoever opens a
/// ceremony chooses ends and members: participants compare both before they join.
contract VaultBoard {
    /// @notice Most members of a ceremony.
    uint256 public constant MAX_MEMBERS = 510;
    /// @notice Most bytes of a message: a dealing to 255 receivers fits.
    uint256 public constant MAX_MESSAGE = 24_576;
    /// @notice Messages of one member in one round, where it has no complaints.
    uint256 public constant MAX_MESSAGES = 4;
    /// @notice Rounds of a ceremony.
    uint8 public constant ROUNDS = 4;
    /// @notice The round of the complaints.
    uint8 public constant COMPLAIN = 3;
    /// @notice Where members sign the handover, from the end of the last round on.
    uint8 public constant SIGN = 5;

    bytes32 private constant BOARD = keccak256("ccc/v1/board");

    /// @notice Last second of each round of a ceremony; all zero before it opens.
    mapping(bytes32 nonce => uint64[4] ends) private _ends;
    /// @notice How many members a ceremony has.
    mapping(bytes32 nonce => uint256 count) public membersOf;
    /// @notice Number of a member, from 1 in the order in which the ceremony named them; zero for everybody else.
    mapping(bytes32 nonce => mapping(address member => uint256 number)) public numberOf;
    /// @notice Messages of a member in a round.
    mapping(bytes32 nonce => mapping(uint8 round => mapping(uint256 number => uint256 count))) public posted;

    /// @notice A ceremony was opened.
    event CeremonyOpened(bytes32 indexed nonce, address indexed opener, address[] members, uint64[4] ends);
    /// @notice A member posted a message.
    event Posted(bytes32 indexed nonce, uint8 indexed round, uint256 indexed number, bytes message);

    /// @notice No members, or more than `MAX_MEMBERS`.
    error MemberCount(uint256 max, uint256 found);
    /// @notice A member's address is zero.
    error ZeroMember(uint256 number);
    /// @notice An address stands for two members.
    error RepeatedMember(address member);
    /// @notice A round's end is not later than the round before it, or than now.
    error EndNotLater(uint8 round, uint64 before, uint64 found);
    /// @notice The ceremony was opened before.
    error AlreadyOpen(bytes32 nonce);
    /// @notice The sender is no member of the ceremony, or there is none.
    error NotMember(bytes32 nonce, address sender);
    /// @notice The round does not run now.
    error RoundNotRunning(uint8 round, uint64 from, uint64 end, uint256 timestamp);
    /// @notice No round has this number.
    error NoRound(uint8 found);
    /// @notice The message is empty or longer than `MAX_MESSAGE`.
    error MessageLength(uint256 max, uint256 found);
    /// @notice The member has said everything that it may say in this round.
    error TooManyMessages(uint256 max);

    /// @notice Opens a ceremony. Anyone may; participants look whether it is theirs.
    /// @param members Accounts of the participants, in the order of their numbers.
    /// @param ends Last second of each round.
    /// @param salt Makes two ceremonies of the same members differ.
    /// @return nonce What the participants' session is made with.
    function open(address[] calldata members, uint64[4] calldata ends, bytes32 salt) external returns (bytes32 nonce) {
        if (members.length == 0 || members.length > MAX_MEMBERS) revert MemberCount(MAX_MEMBERS, members.length);
        nonce = nonceOf(msg.sender, members, ends, salt);
        if (membersOf[nonce] != 0) revert AlreadyOpen(nonce);
        _setEnds(nonce, ends);
        for (uint256 i = 0; i < members.length; ++i) {
            if (members[i] == address(0)) revert ZeroMember(i + 1);
            if (numberOf[nonce][members[i]] != 0) revert RepeatedMember(members[i]);
            numberOf[nonce][members[i]] = i + 1;
        }
        membersOf[nonce] = members.length;
        emit CeremonyOpened(nonce, msg.sender, members, ends);
    }

    /// @notice Posts a message to the round that runs.
    /// @param nonce The ceremony.
    /// @param round Its round, from 1.
    /// @param message The signed message.
    function post(bytes32 nonce, uint8 round, bytes calldata message) external {
        uint256 number = numberOf[nonce][msg.sender];
        if (number == 0) revert NotMember(nonce, msg.sender);
        _checkRunning(nonce, round);
        if (message.length == 0 || message.length > MAX_MESSAGE) revert MessageLength(MAX_MESSAGE, message.length);
        uint256 max = mostMessages(nonce, round);
        if (posted[nonce][round][number] == max) revert TooManyMessages(max);
        ++posted[nonce][round][number];
        emit Posted(nonce, round, number, message);
    }

    /// @notice Last second of each round.
    function endsOf(bytes32 nonce) external view returns (uint64[4] memory) {
        return _ends[nonce];
    }

    /// @notice Messages that a member may post in a round: one complaint for each dealer, and their end.
    function mostMessages(bytes32 nonce, uint8 round) public view returns (uint256) {
        uint256 complaints = membersOf[nonce] + 1;
        return round == COMPLAIN && complaints > MAX_MESSAGES ? complaints : MAX_MESSAGES;
    }

    /// @notice The nonce of a ceremony that `opener` opens.
    function nonceOf(address opener, address[] calldata members, uint64[4] calldata ends, bytes32 salt)
        public
        view
        returns (bytes32)
    {
        bytes32 named = keccak256(abi.encodePacked(members));
        return keccak256(abi.encode(BOARD, block.chainid, address(this), opener, named, ends, salt));
    }

    function _setEnds(bytes32 nonce, uint64[4] calldata ends) private {
        // Fits until the year 584 554 049 253.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint64 before = uint64(block.timestamp);
        for (uint8 i = 0; i < ROUNDS; ++i) {
            if (ends[i] <= before) revert EndNotLater(i + 1, before, ends[i]);
            before = ends[i];
        }
        _ends[nonce] = ends;
    }

    function _checkRunning(bytes32 nonce, uint8 round) private view {
        if (round == 0 || round > SIGN) revert NoRound(round);
        uint64 from = round == 1 ? 0 : _ends[nonce][round - 2];
        uint64 end = round == SIGN ? type(uint64).max : _ends[nonce][round - 1];
        if (block.timestamp <= from || block.timestamp > end) {
            revert RoundNotRunning(round, from, end, block.timestamp);
        }
    }
}
