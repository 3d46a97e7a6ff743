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

/// An instruction, and where it goes if it jumps.
struct Instruction {
    code: u32,
    k: u32,
    jump: Option<(When, Label)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    True,
    False,
}

/// How far a conditional jump reaches.
const NEAR: usize = u8::MAX as usize;

/// A program in the making.
#[derive(Default)]
pub(super) struct Assembler {
    instructions: Vec<Instruction>,
    /// The instruction that each label is bound to.
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
        self.labels[label.0] = Some(self.instructions.len());
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

    /// A = the frame's length in bytes, from its network header on.
    pub(super) fn load_length(&mut self) {
        self.emit(libc::BPF_LD | libc::BPF_W | libc::BPF_LEN, 0);
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

    /// X = X + A.
    pub(super) fn advance_by_a(&mut self) {
        self.compute_x(libc::BPF_ADD);
        self.move_to_x();
    }

    /// Goes to the label.
    pub(super) fn jump(&mut self, to: Label) {
        self.emit_jump(libc::BPF_JMP | libc::BPF_JA, 0, (When::Always, to));
    }

    /// Goes to the label if the test holds, and on with the next instruction if not.
    pub(super) fn jump_if(&mut self, test: Test, to: Label) {
        self.test(test, (When::True, to));
    }

    /// Goes to the label if the test does not hold, and on with the next instruction if it does.
    pub(super) fn jump_unless(&mut self, test: Test, to: Label) {
        self.test(test, (When::False, to));
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
    /// E2BIG: it is longer than the kernel takes, or a jump leads back or nowhere.
    pub(super) fn assemble(self) -> io::Result<Vec<sock_filter>> {
        let too_big = || io::Error::from_raw_os_error(libc::E2BIG);
        let places = self.places();
        let mut program = Vec::new();
        for (at, Instruction { code, k, jump }) in self.instructions.iter().enumerate() {
            let Some((when, to)) = jump else {
                program.push(sock_filter { code: *code as c_ushort, jt: 0, jf: 0, k: *k });
                continue;
            };
            let target = self.labels[to.0].map(|bound| places[bound]);
            let skipped = target.and_then(|target| target.checked_sub(places[at + 1])).ok_or_else(too_big)?;
            let wide = places[at + 1] - places[at] > 1;
            program.push(match when {
                When::Always => always(skipped),
                // Over the jump behind it, or into it.
                When::True if wide => sock_filter { code: *code as c_ushort, jt: 0, jf: 1, k: *k },
                When::False if wide => sock_filter { code: *code as c_ushort, jt: 1, jf: 0, k: *k },
                When::True => sock_filter { code: *code as c_ushort, jt: skipped as u8, jf: 0, k: *k },
                When::False => sock_filter { code: *code as c_ushort, jt: 0, jf: skipped as u8, k: *k },
            });
            if wide {
                program.push(always(skipped));
            }
        }
        if program.len() > libc::BPF_MAXINSNS as usize { Err(too_big()) } else { Ok(program) }
    }

    /// Where each instruction stands in the program, and the program's length. A conditional jump that leads too far
    /// becomes two, and moves what is behind it: until all fit.
    fn places(&self) -> Vec<usize> {
        let mut wide = vec![false; self.instructions.len()];
        loop {
            let mut places = vec![0];
            for &wide in &wide {
                places.push(places.last().unwrap_or(&0) + 1 + usize::from(wide));
            }
            let too_far = |at: usize| match self.instructions[at].jump {
                Some((When::True | When::False, to)) => {
                    self.labels[to.0].is_some_and(|bound| places[bound].saturating_sub(places[at + 1]) > NEAR)
                }
                _ => false,
            };
            let grown: Vec<usize> = (0..wide.len()).filter(|&at| !wide[at] && too_far(at)).collect();
            if grown.is_empty() {
                return places;
            }
            for at in grown {
                wide[at] = true;
            }
        }
    }

    fn test(&mut self, test: Test, jump: (When, Label)) {
        let (condition, number) = match test {
            Test::Is(number) => (libc::BPF_JEQ, number),
            Test::AtLeast(number) => (libc::BPF_JGE, number),
            Test::HasAny(bits) => (libc::BPF_JSET, bits),
        };
        self.emit_jump(libc::BPF_JMP | condition | libc::BPF_K, number, jump);
    }

    fn emit(&mut self, code: u32, k: u32) {
        self.instructions.push(Instruction { code, k, jump: None });
    }

    fn emit_jump(&mut self, code: u32, k: u32, jump: (When, Label)) {
        self.instructions.push(Instruction { code, k, jump: Some(jump) });
    }
}

fn always(skipped: usize) -> sock_filter {
    sock_filter { code: (libc::BPF_JMP | libc::BPF_JA) as c_ushort, jt: 0, jf: 0, k: skipped as u32 }
}
