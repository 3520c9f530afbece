// Made by tools/make_collation_tables from a server of MariaDB 10.11.19: do not edit.
// clang-format off
#include "record/collation_weights.h"

namespace redoubt::record {
namespace {

constexpr const char* kTailoringsLines[] = {
    "eNrNmXl8FVWWx/Or2OkiUEnoms8UseXxkoDvOTM1LQraPdPzhw2tI6JCLyraAjHkI0gIIQEUtB0bcOlFe7F7FhVlFdlBRDZRAoRNUHaBBBAF",
    "FZBWVlHgzdSpe847VWlkcOw/5o98fvWtm1d17r3nnnvrnFYDKiqryqv7DajoUzEgJ+dS5OTk1KOgE+lKFFWRNqComnQV81oU/IZ0AwrOkm5E",
    "Qdi+BYWjSbejaBDpDtZdKEqS7kZRH9I9KBpIuo/fs5+fe4Df8wHzQX7PEX7Pp/ye4/yeU/z806xf8HvO8XsywXvyq8qHDh9QXh327lt0txc/",
    "bYRRtEJBOanDWoqC5aRlrNegsJT0WtZ/RuF3SL/P+kMUVpJez3obCutJb2fti8LDpOWsPze9x8OBtqwdPKi8WswrILOWo6Az6Vts5nvMf2Zz",
    "LTNoyGXtzY/tw3oPinJJK4xabcx9q5j1Ur7/7UBb1VUNHl6ZfX/e+YbjQua3qBlcNaCuv46teADPEC5hI7/BmscP/SZrGzPDKGa9jsf0B6xd",
    "eEy7st7JRtzFOoKNGcn6oPEcPBRoy8q6oYPjYxv8/GPSkayBg/+YdBuKfsSO+xPSJhT9lB0zbD/J7ae4/axpP8/YFB4xY1N4JL+uJphZHhyL",
    "frXJdCLnaKD5dfdX9pPWVs0W28DoYmu+mALbejdbNAOji6b5oghs7Z0/dFjtwNjbbkTBe6SrzUQEbzET18RL6EO+f4rvnzX3keBF0Y61o3lO",
    "zAvtipGVFeZdLa3gt12Cv38N/k+u+/N1BV+fz+vu4MXT6yIWUYt+OtAuPfg6+gu6L9flfF3O1zzcA3m4B/FwD+ThruLhrmo23AN5uAfxcA/k",
    "4a7i4a6S4SbDerAn9mSt4ftDAnWqBgztP0zXfXSU+kZGqS+HqzOR0erLoevMV16rtNbLB4YvdC5yWoJRMhF6K7vBfuYTvL6/igEteUFcFZpg",
    "R0woj5gQXnenvyAEyHUVX1dE/qeK7zdfWXYYUsN3XEL3upmxyvkpirqS3sc8LOD8msraOpkFWul5JSi4hjTYBK4mDTaBa0nbo+B7pB1Q8F3S",
    "y1HwT6QpMyB5V8B9g7QL3LGkN8B9nfRGuLRO8rrBXUF6E6xtpN1h7SK9GdYO0ltgrSe9FdZm0h6w3iYNjAJpEHYohuQFYYeid14Nwt7lDTG7",
    "Q94v4VJEyvsV3NtIp8J9jnQZ3GWk6+HSOjrTA2530p5wbyZ9yvzfmd8au8/8Du7zpJPgriSdDLeB9CzcVaTn4K4mzcBdE+i54P7wQDM1sLaT",
    "DoH1DmktrEbSobB2kg6HtYH0flhvkT4AawvpCFhbSUfC2kj6IKxNpI/AvYV0FNwbSUfDvZV0DNwepI/CpfnKPAaXInLmcbg9SZ+AS5E68yTc",
    "bqRB/24ifdrMQ+aPZh4yO+GOI90FdzxpI9wJpE1wJ5IeNPOXOWTmNXPYjGPmYzOOmU/griP9FO6bpEfh0vxljsEN+3kcbtjPE3BpHjMn4Yb9",
    "OwU37N9ncGmeM6fhhuPwOdxwHL6AS/6ROQM3HM9gfN9pVVkX+Gl59dDB2fgNmxdcC9bLOB63ZW3PcbUDaycUtibtzPozXqB3s1ZxfB8UaKv+",
    "w6rvLa+VdWGfb39ovi/04IDQk7WG7wfhLplfN6C6f3lVefi0fwnuOqPgTSUdDW8a6TPwppM+C28G6XPwZpKOhTeL9Hl4s0lfgDeHdBy8uaTj",
    "4b1MOgHePNKJ8F4hnQTvVdLJ8OaTvghvAekUeAtJX4K3iHQqvMWk0+AtIZ0O7zXSGfCWks6ER17gzIJHXuDMhkde4MyBR17gzIVHo+3Mg0de",
    "5bwCj1aNMx8erRrnVXi0apwF8GjVOAvh0apxFsFbS7oYHnmRswQeeZGzFB55kbMMHnmRUw+PvMhZDo+8yFkBj7zIWQmPvMhpgEde5KyCR17k",
    "rIN3gPRteORNzkZ45E3OJnjkTc5meLQ6nS3wKOo4W+HR6nS2w6No5OyAR6vW2QlvL+kueO+SNsLbR9oEj7zJ2Q3vfdI98PaT7oW3m/QYvCbS",
    "4/D25N9bWRsE4qvUh1ZaBVcX/DrcbLNX263CUeaqySpqZ672Z1s/yF6dyv7f2fD//qaidnD5UHLRQSPqhlR1vqZj+J52tDN0DTeegmq5fpiv",
    "u4e7ge4q9/H1LeZ+pVzfx9f9Is/pF3lOVeQ5VZHnVEeeU83P4UPvPXzoved8m2YRCgaTtma90CZKutJ8BqGBdRXraj40r2Fdy7qO7XiTdX2g",
    "zvABlUOrywdV1lWGA9ct+umxjr+7ZNeXT5BDfF92/+afIkVsSGvWcSgcQzqedTYHhTlGE5PMcxOTWV9kncL6EutU1mms01lnsM5knWXsSMxm",
    "ncM6l/Vl1nmsr7DOZ32VdQHr66a/iTdYl7HWsy5nXcG6krWBdRXrataNZtwSm1g3s/JXU4LHO7GNlYNu4h3WHaw7WXeZcU00sjax7mbdw7qX",
    "9V3Wfazvsb7P+hHPy0HWQ6yHWT9mPcL6Z9ZPWD9lPRpoy+wCJfe67K+9LqNrMbr+/j+vudbDKso7drryyj7ZlIsl+ZZkcIgKhq6FOXOXDUFO",
    "CVMDyuq0bVXYJrQWySalDSjpr7QRyWVKW1CaUNqOslqlHSHJ+3ahzNK23Si7U2kPymqU9onVtvkyYKtt85XEVtvmW4mttk1Wh622TW6HrbZN",
    "hoettk0Wga22zZGDrbbN9xZbbZvMD1ttm/wPW22bLBBbbRfKBHBOyJKEUHTgRkQNCvwmOS3bFngPk20SRSWXa1uZkG2SRiVjte1aIdskkErm",
    "atv3hWyTTCo5rW3XC9kmsVSqboLbhWzjv6ULtK1cyDa+HJm2wKNlOIpkOCQJZUkGKnm/jsdbsdF5T9psk5OKjpUVdeNgU4i4B3qHFrGToY+Q",
    "bTJWpe9qW4WQbbJXkX5ZxdF+WZeG/ylt3xays+ssm92yJLX15ZP5fxnAAnmRSYNZkgOLrrWYD+OS2BB9IzZEeTHrvhmzrk10paM4uoJwXcyd",
    "fhBzpy4xd+oac6c7Yz2+K9bjEbEej8z22OTYIjEID2XXdtadJO9mSdKtdKGOx0ghm2PdD7VtG8q6xqLU9UpNKLtBab/8zjbpOf6dxInrlc7K",
    "7y5ilksXRWeZSaMG5y8syeZFhjbnaHZo9d9Nhs+S9F40cjfEIumqWMS/UHQORqGX0v5YXD0QnSWOuSUXETvPyjPVdE4XWpIrLLlZDVodddPA",
    "2KizN8U2jw+jLhyYEA3mZ6MBG4lYJG0Xi6Qd5e2ROJKMxRFqc8T0MPdoRVNq/PN8TTJJdzSlFH3FhaLEHbEQ3Otrh+BsBOnHrhXJX/Ic5WsW",
    "UzxBc5nReVwZPjVybqiNeVhNbGVF/G1HzDP/wsNqYrt6bczDamKrLuJvp2OeqR5mUgXUVspj0VPINmkD+k9pGyJkfyu7c2czp1ZOoc5xcqqO",
    "lZljvtOCN/h7deQqou02b/n3qn0Xmv+/RbJR7fOEJEY36jZWLPT1fcMkbq1o1vYr+nTgG9ET5tbYot0fO8ediO1Xf+0ds6hZLL3KiiaC+enR",
    "WZymvTJJYd7d8jU1LLtfZG7ZSk0TR/bELw3cTuw4ZEn2WFzH5JDLOirdF3WbnGHSpmGUs8tWzk9Majn5QPgmyySYk8OUypAcodQeyQeVOiA5",
    "UulyJB9SSsncWSYJnS5R6oLUAaUbkE4q3Yh0e6VuSHdQugm5y5W6I3e10s3IbVC6BbmLlG5F7htKPZD7mpJJY/8COW00mS1kUtpCJrEtNESO",
    "m5ZJcqfuCelSk+pOVShNRWq//ucypEuV1iNdlqUzPZDqlf3dmZ5I3an0lDyljUmK8wi2Manx1AdKv0fqQ6VJSJstq9gkzdMppbNIp5XOIX2F",
    "Ugbpv1P6b6T/PkvnziI1OUuZGuSuyPYhMwS5K5VqkbtGaShyVykNR+5ipfuRu0TpAeQuUxqB3HqlkchdqvQgcl9XegSpu7JjlhmF1G1Ko5H6",
    "mdIYpO5WehSpvkqPIVWu9DhSvZWeQKqP0pNI3a4UzNEdSk+LJxeb9D57crFJ8qc+ys5RZhdSB5UakTqk1ITUYaWDslaKTQmAV1WxKQSwZxWb",
    "cgB7VrEpCqT/Qeko0v+odAzp7ygdR/pKpRNId1Q6ifRVSqeQvlrpM6Q7KZ1GurPS50hfo/QF0tcqnUH6u0qBR37PUGs9s3OJwZL6QjTwt4gF",
    "/stip7W2sdNa++hZER1iB6tOKBmjbZ2FbFOPiG4md8c2k6roqRKDsifHrPHZeoUlxYovP5Re6BjaI2wryZ5MmORkYmnbEKHIcd8UOSypcPga",
    "mJ3R8DWMOc/A143AeRa+hn7nOfga7J2x8HUjcJ6Hr6HfeQH+z5XGwX9YaTz8f1OaAP8RpYnwf6E0Cf5opcnwRym9CH+M0hT4jyq9BP8xpanw",
    "H1eaBv8Jpenwf6k0A/6vlGbC/7XSLPi/UZoN/0mlOfCfUpoL/7dK8+D/TukV+L9Xmg//D0qvwn9aaQH8PyothP8npUXw/11pMfz/UFoC/z+V",
    "lsL/L6Vl8J9Rqof/rNJy+M8prYA/Vmkl/OeVGuC/oLQK/jildfBfVnob/niljfAnKG2CP1FpM/xJSlvgT1baCv9Fpe3wpyjtgP+S0k74M5R2",
    "wZ+p1Ah/llIT/NlKu+HPUdoDf67SXvjTlI7Bn6p0HP50Q9mFxnUlKyffFJWSw5KNVk4ypzRY/fy1k71Xkr233Spt2/z/mqzg3NXs//bHn2e+",
    "dOLPM9878eeZaBJ/Xhg3fpT9v+w78OP4Pf260aKMlfMYPXFZeEqUA2d9SO2Z4mm6FWFbGdOa6LcI5Ykb9XfrYlnj9bED7oaQ5D83o7Sttm0J",
    "qf15vyG2hW3y9p0oQyyjDP3d7vCbTuhd6Z/NGWXTP/svU43vS/9C+ij6dUUZ5Ub93aFYfvnj2CH9iPQvpGPSP8k2t9W22HdQzknpX0ifS/8k",
    "9wz93Tnp3/+aEi2KZujROpr5Rjq0k8cTVwiFbf3D90nbACHbVNxK2+kzxwvZpvoW3UbnRHe+xLhwdDuYtsR4obBtQkj8zZuYKGSbCh7NEc9m",
    "YrKQbap5ROwFiSlCtqnsEckzpwrZpspHxP1LTBeyTcWPSOycKWSb6h+NrtgyW8g2lUAisWWukG2qgkRiyzwh21QIicSW+UK2qRYSiS0LhMK2",
    "haFHStsiobBtcTSHkFgSzSEkXgtJ3rdUyDbVSPJr6d8bQrapTBJJ/+qFbFOlJJL3rRCyTcWSSN7XIGSb6iWR9GG1UNi2JvRIeeZaobBtXUjy",
    "uzeFwrb14TqStg1CYdtbIckz3xayTeWUVqP0fZOQbaqokVNbYkv01JYwUUqeuU3INtVVIun7O0K2qbQSiZ07hWxTdaVVJbY0CtmmAksktuwW",
    "sk01lkhs2Stkm8oskdiyT8g2VVoiseV9obBtf7j6pe2AUNj2QUjyvg+FbFPppdUvfTgoZJuqb+SkmzicPemaCjCRPPOIkG2qwUTSh0+EbFMZ",
    "JhI7jwqFbceiGcfE8WiuMHEiJPndSaGw7VQ0V5j4LJsrJDodktjyuZDmn6Q6bUVL0xyBW2mBmu/ka5maM0mttFgdzUiZkjVnlFpp4Zrv5Gv5",
    "WqK9FrElR6Wl7Gi1Jg/J6bHq0PSLy9IFu0x9bJep/3oZPFMMZ+sdUxJnamkK49FdbbX0yjFFcqaWplQerVutk946pmzO1NIUzyVj9z807Lda",
};
constexpr PackedTable kTailorings{kTailoringsLines, 12462};

}  // namespace

const PackedTable& packed_tailorings() { return kTailorings; }

}  // namespace redoubt::record
