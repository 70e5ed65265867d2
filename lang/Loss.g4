// The grammar of .loss files. docs/language.md, section 2, explains it.
//
// Every decision needs one token of lookahead, so parsing builds no prediction tables at run time:
// time and memory stay flat over thousands of programs.
grammar Loss;

file : items+=item* EOF ;

item : imported=importItem | docs+=DOC* ( lossItem=lossDef | fnItem=fnDef ) ;

importItem : 'import' path=STRING ;

lossDef : 'loss' name=IDENT arguments=lossArgs body=block ;

// Lists of arguments are rules of their own: an error in one does not lose the body behind it.
lossArgs : '(' ( args+=lossArg ( ',' args+=lossArg )* )? ')' ;

lossArg : docs+=DOC* ( value=input | parameter=param | setting=option ) ;

input
  : name=IDENT ':' ( isTarget='target' ( 'over' classAxis=IDENT )? | isFixed='fixed' )?
    axes=axisList
  ;

param : 'param' name=IDENT ( ':' constraint=IDENT )? '=' value=expr ;

option : 'option' name=IDENT ( ':' allowed=limits )? '=' value=expr ;

limits : words+=IDENT+ between=range? | between=range ;

range : '[' least=expr ',' greatest=expr ']' ;

axisList : '[' ( names+=IDENT ( ',' names+=IDENT )* )? ']' ;

fnDef
  : 'fn' name=IDENT arguments=fnArgs ( '=' value=expr | body=block ) derivatives+=derivative*
  ;

fnArgs : '(' ( args+=fnArg ( ',' args+=fnArg )* )? ')' ;

fnArg : name=IDENT ( ':' axes=axisList )? ;

derivative : 'derivative' name=IDENT '=' value=expr ;

block : '{' axes+=axisDef* lets+=let* 'return' value=expr '}' ;

axisDef : 'axis' name=IDENT '=' original=IDENT ;

let : 'let' name=IDENT '=' value=expr ;

// Expressions, loosest first.

expr
  : 'if' cond=expr 'then' whenTrue=expr 'else' whenFalse=expr
  | value=orExpr
  ;

orExpr : args+=andExpr ( ops+='or' args+=andExpr )* ;

andExpr : args+=notExpr ( ops+='and' args+=notExpr )* ;

notExpr : op='not' arg=notExpr | value=compareExpr ;

// A chain is parsed, to be rejected with a hint: comparisons do not chain.
compareExpr
  : args+=addExpr ( ops+=( '<' | '<=' | '>' | '>=' | '==' | '!=' ) args+=addExpr )*
  ;

addExpr : args+=mulExpr ( ops+=( '+' | '-' ) args+=mulExpr )* ;

mulExpr : args+=unaryExpr ( ops+=( '*' | '/' ) args+=unaryExpr )* ;

unaryExpr : op='-' arg=unaryExpr | value=powerExpr ;

powerExpr : base=postfixExpr ( op='^' exponent=unaryExpr )? ;

postfixExpr : value=primary renames+=rename* ;

rename : '[' from=IDENT '->' to=IDENT ']' ;

primary
  : number=NUMBER
  | name=IDENT arguments=call?
  | '(' value=expr ')'
  ;

call : '(' ( args+=expr ( ',' args+=expr )* order=over? )? ')' ;

over : 'over' axes+=IDENT ( ',' axes+=IDENT )* ( 'by' key=expr )? ;

LOSS : 'loss' ;
FN : 'fn' ;
LET : 'let' ;
RETURN : 'return' ;
PARAM : 'param' ;
TARGET : 'target' ;
OVER : 'over' ;
IF : 'if' ;
THEN : 'then' ;
ELSE : 'else' ;
AND : 'and' ;
OR : 'or' ;
NOT : 'not' ;

LPAREN : '(' ;
RPAREN : ')' ;
LBRACKET : '[' ;
RBRACKET : ']' ;
LBRACE : '{' ;
RBRACE : '}' ;
COMMA : ',' ;
COLON : ':' ;
ARROW : '->' ;
ASSIGN : '=' ;
PLUS : '+' ;
MINUS : '-' ;
STAR : '*' ;
SLASH : '/' ;
CARET : '^' ;
LESS : '<' ;
LESS_EQUAL : '<=' ;
GREATER : '>' ;
GREATER_EQUAL : '>=' ;
EQUAL : '==' ;
NOT_EQUAL : '!=' ;

IDENT : [a-zA-Z_] [a-zA-Z_0-9]* ;

// Words that are keywords in one place only and names elsewhere: the lexer takes them for IDENT, and
// the parser (Tokens.cpp) turns them into these where they are keywords.
IMPORT : 'import' ;
AXIS : 'axis' ;
FIXED : 'fixed' ;
OPTION : 'option' ;
BY : 'by' ;
DERIVATIVE : 'derivative' ;

STRING : '"' ~["\r\n]* '"' ;
NUMBER : [0-9]+ ( '.' [0-9]+ )? ( [eE] [+-]? [0-9]+ )? ;

// Four slashes or more are a ruler, not documentation.
RULER : '////' ~[\r\n]* -> channel(HIDDEN) ;
DOC : '///' ~[\r\n]* ;
COMMENT : '//' ~[\r\n]* -> channel(HIDDEN) ;
SPACE : [ \t\r\n]+ -> skip ;

// Tokens that no rule uses: the parser reports them in its own words.
BAD_NUMBER : [0-9] [0-9a-zA-Z_.]* | '.' [0-9] [0-9a-zA-Z_.]* ;
FOREIGN : '~=' | '<>' | '!==' | '===' | '=<' | '&&' | '||' | '**' | '/*' | ';' | '!' | '%' | '#' | '&' | '|' | '?' ;
UNKNOWN : . ;
