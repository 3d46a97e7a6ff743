//! An assembler for classic BPF (Linux, `Documentation/networking/filter.rst`): an accumulator A, an index X, sixteen
//! words of scratch memory M. Jumps go forward only, so that every program ends.

use std::io;

use libc::{c_ushort, sock_filter};

/// A place in the program that jumps lead to, whether it is bound before or after them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Label(usize);

/// A word of scratch memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scratch(pub(super) u32);

/// What A is compared with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Test {
    /// A is the number.
    Is(u32),
    /// A is the number or more.
    AtLeast(u32),
    /// A has one of the bits.
    HasAny(u32),
}

/// How many bytes a load takes, in network byte order.
#[derive(Debug, Clone, Copy)]
pub(super) enum Width {
    Byte = libc::BPF_B as isize,
    Half = libc::BPF_H as isize,
    Word = libc::BPF_W as isize,
}

/// A jump whose way is not known yet: from an instruction to a label.
struct Jump {
    from: usize,
    to: Label,
    way: Way,
}

/// Which field of the instruction holds the way.
enum Way {
    Always,
    IfTrue,
    IfFalse,
}

/// A program in the making.
#[derive(Default)]
pub(super) struct Assembler {
    code: Vec<sock_filter>,
    jumps: Vec<Jump>,
    /// Where each label is bound.
    labels: Vec<Option<usize>>,
}

impl Assembler {
    /// A label that is not bound yet.
    pub(super) fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// Binds the label to what comes next.
    pub(super) fn bind(&mut self, label: Label) {
        self.labels[label.0] = Some(self.code.len());
    }

    /// A = the bytes at X + `offset`. Beyond the end of the frame the program ends and gives 0.
    pub(super) fn load(&mut self, width: Width, offset: u32) {
        self.emit(libc::BPF_LD | width as u32 | libc::BPF_IND, offset);
    }

    /// A = the EtherType of the frame, behind the tag that the kernel took out (`SKF_AD_PROTOCOL`).
    pub(super) fn load_ethertype(&mut self) {
        let extension = libc::SKF_AD_OFF + libc::SKF_AD_PROTOCOL;
        self.emit(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, extension as u32);
    }

    /// A = the number.
    pub(super) fn set(&mut self, number: u32) {
        self.emit(libc::BPF_LD | libc::BPF_IMM, number);
    }

    /// X = the number.
    pub(super) fn set_x(&mut self, number: u32) {
        self.emit(libc::BPF_LDX | libc::BPF_IMM, number);
    }

    /// M = A.
    pub(super) fn store(&mut self, place: Scratch) {
        self.emit(libc::BPF_ST, place.0);
    }

    /// M = X.
    pub(super) fn store_x(&mut self, place: Scratch) {
        self.emit(libc::BPF_STX, place.0);
    }

    /// A = M.
    pub(super) fn recall(&mut self, place: Scratch) {
        self.emit(libc::BPF_LD | libc::BPF_MEM, place.0);
    }

    /// X = M.
    pub(super) fn recall_x(&mut self, place: Scratch) {
        self.emit(libc::BPF_LDX | libc::BPF_MEM, place.0);
    }

    /// A = A `operation` number, `operation` one of the `BPF_*` of the ALU.
    pub(super) fn compute(&mut self, operation: u32, number: u32) {
        self.emit(libc::BPF_ALU | operation | libc::BPF_K, number);
    }

    /// A = A `operation` X.
    pub(super) fn compute_x(&mut self, operation: u32) {
        self.emit(libc::BPF_ALU | operation | libc::BPF_X, 0);
    }

    /// X = A.
    pub(super) fn move_to_x(&mut self) {
        self.emit(libc::BPF_MISC | libc::BPF_TAX, 0);
    }

    /// X = X + number; A is lost.
    pub(super) fn advance(&mut self, number: u32) {
        self.emit(libc::BPF_MISC | libc::BPF_TXA, 0);
        self.compute(libc::BPF_ADD, number);
        self.move_to_x();
    }

    /// Goes to the label, however far it is.
    pub(super) fn jump(&mut self, to: Label) {
        self.jumps.push(Jump { from: self.code.len(), to, way: Way::Always });
        self.emit(libc::BPF_JMP | libc::BPF_JA, 0);
    }

    /// Goes to the label, at most 255 instructions away, if the test holds, and on with the next instruction if not.
    pub(super) fn jump_if(&mut self, test: Test, to: Label) {
        self.jumps.push(Jump { from: self.code.len(), to, way: Way::IfTrue });
        self.test(test);
    }

    /// Goes to the label, at most 255 instructions away, if the test does not hold.
    pub(super) fn jump_unless(&mut self, test: Test, to: Label) {
        self.jumps.push(Jump { from: self.code.len(), to, way: Way::IfFalse });
        self.test(test);
    }

    /// Ends and gives A.
    pub(super) fn finish_with_a(&mut self) {
        self.emit(libc::BPF_RET | libc::BPF_A, 0);
    }

    /// Ends and gives the number.
    pub(super) fn finish_with(&mut self, number: u32) {
        self.emit(libc::BPF_RET | libc::BPF_K, number);
    }

    /// The program.
    ///
    /// # Errors
    /// E2BIG: the kernel takes no program of this length, or a jump is too far.
    pub(super) fn assemble(mut self) -> io::Result<Vec<sock_filter>> {
        let too_big = || io::Error::from_raw_os_error(libc::E2BIG);
        if self.code.len() > libc::BPF_MAXINSNS as usize {
            return Err(too_big());
        }
        for Jump { from, to, way } in self.jumps {
            // What is not bound, or behind the jump, is too far as well.
            let skipped = self.labels[to.0].and_then(|target| target.checked_sub(from + 1)).ok_or_else(too_big)?;
            let near = || u8::try_from(skipped).map_err(|_| too_big());
            match way {
                Way::Always => self.code[from].k = skipped as u32,
                Way::IfTrue => self.code[from].jt = near()?,
                Way::IfFalse => self.code[from].jf = near()?,
            }
        }
        Ok(self.code)
    }

    fn test(&mut self, test: Test) {
        let (condition, number) = match test {
            Test::Is(number) => (libc::BPF_JEQ, number),
            Test::AtLeast(number) => (libc::BPF_JGE, number),
            Test::HasAny(bits) => (libc::BPF_JSET, bits),
        };
        self.emit(libc::BPF_JMP | condition | libc::BPF_K, number);
    }

    fn emit(&mut self, code: u32, k: u32) {
        self.code.push(sock_filter { code: code as c_ushort, jt: 0, jf: 0, k });
    }
}
